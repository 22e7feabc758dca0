"""Reads a mail of ours as its receiver does."""

from __future__ import annotations

from email import message_from_bytes, policy


def read_mail(message: bytes) -> tuple[str, str]:
    """The subject, and the plain text with ``\\n`` line ends; the HTML beside it says the same."""
    mail = message_from_bytes(message, policy=policy.default)
    body = mail.get_body(("plain",))
    text: str = body.get_content() if body is not None else ""
    return str(mail["Subject"]), text.replace("\r\n", "\n")
