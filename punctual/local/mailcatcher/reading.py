"""What a mail says, read so that no input can make it fail: headers decoded, a text part, an HTML part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

_FOLD = re.compile(r"\r?\n[ \t]?")


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class ReadMail:
    """Attributes:
    headers: in their order, decoded; a header that comes twice is here twice.
    text, html: the first part of that type; None when there is none.
    """

    headers: tuple[tuple[str, str], ...]
    text: str | None
    html: str | None
    attachments: tuple[Attachment, ...]

    def header(self, name: str) -> str:
        """The first header of that name, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def read_mail(raw: bytes) -> ReadMail:
    """Read the bytes of one mail."""
    message = _parse(raw)
    text = html = None
    attachments = []
    for part in _leaves(message):
        content_type = part.get_content_type()
        content = part.get_payload(decode=True)
        content = content if isinstance(content, bytes) else b""
        name = _plain(str(part.get_filename() or ""))
        if not name and content_type == "text/plain" and text is None:
            text = _decode(content, part)
        elif not name and content_type == "text/html" and html is None:
            html = _decode(content, part)
        elif name or content:
            attachments.append(Attachment(name or "(no name)", _plain(content_type), len(content)))
    headers = tuple((_plain(name), _header(value)) for name, value in message.raw_items())
    return ReadMail(headers, text, html, tuple(attachments))


def _parse(raw: bytes) -> Message:
    parser = BytesParser(policy=compat32)
    try:
        return parser.parsebytes(raw)
    except RecursionError:  # parts nested so deep are nobody's mail; the headers can be shown all the same
        return parser.parsebytes(raw, headersonly=True)


def _leaves(message: Message) -> Iterator[Message]:
    """Iterative, because nonsense may nest deeper than the stack."""
    waiting: list[Message] = [message]
    while waiting:
        part = waiting.pop()
        payload = part.get_payload()
        if isinstance(payload, list):
            waiting.extend(reversed([child for child in payload if isinstance(child, Message)]))
        else:
            yield part


def _header(raw: object) -> str:
    value = _FOLD.sub(" ", _plain(str(raw))).strip()
    try:
        return _plain(str(make_header(decode_header(value))))
    except (HeaderParseError, LookupError, ValueError):
        return value


def _decode(content: bytes, part: Message) -> str:
    charset = part.get_param("charset", "utf-8")
    try:
        return _plain(content.decode(str(charset), "replace"))
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def _plain(text: str) -> str:
    """Text that can be encoded: raw bytes that the parser smuggled in are taken for UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
