"""A mail as bytes, built by hand: Python's own folding damages Chinese subjects and differs between its versions.

The same input gives the same bytes, and everything on the wire is ASCII with CRLF line ends.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from services.notifier.domain.addresses import is_deliverable
from services.notifier.domain.wording.rendering import Words

_WIDEST = 75  # RFC 2047 section 2: an encoded word of a line of at most 76 characters
_PLAIN_SUBJECT = 60  # with its name it stays below the 78 characters of RFC 5322 section 2.1.1


class UnsafeHeader(ValueError):
    """A header would carry a control character or something that is no address."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Attributes:
    name: shown beside the address.
    reply_to: a box somebody reads; None answers to the address.
    """

    name: str
    address: str
    reply_to: str | None = None

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def message_id(delivery: str, domain: str) -> str:
    """The same for every attempt of a delivery, so that receivers can drop a repeat.

    Args:
        delivery: notice, channel and address version in one word.
    """
    return f"<{hashlib.sha256(delivery.encode()).hexdigest()[:40]}@{domain}>"


def compose(
    words: Words,
    *,
    sender: Sender,
    recipients: Sequence[str],
    delivery: str,
    date: datetime,
    correlation_id: str,
) -> bytes:
    """Args:
        date: real time; mail programs sort by it.
        correlation_id: leads from the mail back to the request's logs; left out where it does not fit a header.

    Raises:
        UnsafeHeader: nothing is composed.
    """
    for address in (*recipients, sender.address, *([sender.reply_to] if sender.reply_to else [])):
        if not is_deliverable(address):
            raise UnsafeHeader("an address is not a plain mailbox")
    boundary = "=_" + hashlib.sha256(f"{delivery}|boundary".encode()).hexdigest()[:24]
    headers = [
        ("From", f"{_encode(sender.name, 'From')} <{sender.address}>"),
        ("To", ",\r\n ".join(recipients)),
        *([("Reply-To", sender.reply_to)] if sender.reply_to else []),
        ("Subject", _encode(words.subject, "Subject")),
        ("Date", format_datetime(date)),
        ("Message-ID", message_id(delivery, sender.domain)),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("Content-Language", words.language),
        *([("X-Correlation-ID", correlation_id)] if _is_word(correlation_id) else []),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    lines = [f"{name}: {value}" for name, value in headers]
    for subtype, content in (("plain", words.text), ("html", words.html)):
        lines += [
            "",
            f"--{boundary}",
            f"Content-Type: text/{subtype}; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            "",
            base64.encodebytes(content.replace("\n", "\r\n").encode()).decode().rstrip("\n").replace("\n", "\r\n"),
        ]
    lines += [f"--{boundary}--", ""]
    return "\r\n".join(lines).encode("ascii")


def _encode(text: str, header: str) -> str:
    """The whole text in one go, as RFC 2047 encoded words, unless it is short plain ASCII."""
    if any(not character.isprintable() for character in text):
        raise UnsafeHeader(f"{header} holds a control character")
    if text.isascii() and len(text) <= _PLAIN_SUBJECT and "=?" not in text:
        return text if header == "Subject" else f'"{text.translate({34: None, 92: None})}"'
    return Header(text, "utf-8", maxlinelen=_WIDEST, header_name=header).encode(linesep="\r\n")


def _is_word(text: str) -> bool:
    return 0 < len(text) <= 200 and all("!" <= character <= "~" for character in text)  # noqa: PLR2004  one header line
