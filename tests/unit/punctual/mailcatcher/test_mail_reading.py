"""Reading mails: languages are decoded, nonsense never fails."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punctual.local.mailcatcher.reading import read_mail


def mail(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in headers.items():
        message[name] = value
    return message


@pytest.mark.parametrize(
    "subject", ["您的理賠申請 K7M4Q-2XD9C 已收到", "您的理赔申请已收到，" * 12, "Your claim", "Réclamation €"]
)
def test_subjects_are_decoded_however_they_are_folded(subject: str) -> None:
    message = mail(Subject=subject, To="陳大文 <c1@customer.example>")
    message.set_content("x")
    read = read_mail(message.as_bytes())
    assert read.header("subject") == subject
    assert read.header("To") == "陳大文 <c1@customer.example>"


def test_text_and_html_parts_are_found() -> None:
    message = mail(Subject="both")
    message.set_content("文字\n")
    message.add_alternative("<p>網頁</p>\n", subtype="html")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="照片.png")
    read = read_mail(message.as_bytes())
    assert (read.text, read.html) == ("文字\n", "<p>網頁</p>\n")
    assert [(a.content_type, a.size) for a in read.attachments] == [("image/png", 4)]


def test_an_attached_text_is_not_taken_for_the_mail() -> None:
    message = mail(Subject="attached")
    message.add_attachment("notes", filename="notes.txt")
    read = read_mail(message.as_bytes())
    assert read.text is None
    assert [attachment.name for attachment in read.attachments] == ["notes.txt"]


@pytest.mark.parametrize(
    ("raw", "subject", "text"),
    [
        (b"", "", ""),
        (b"Subject: =?utf-8?b?!!!?=\r\n\r\nx", None, "x"),
        (b"Subject: =?no-such-charset?q?abc?=\r\n\r\n", "=?no-such-charset?q?abc?=", ""),
        ("Subject: 原樣\r\n\r\n原樣".encode(), "原樣", "原樣"),
        (b"Subject: \xff\xfe\r\n\r\n", "\ufffd\ufffd", ""),
        (b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xe4\xbd\xa0", "", "你"),
        (b"Content-Type: text/plain; charset=hex\r\n\r\nzz", "", "zz"),
        (b"Content-Type: text/plain; charset=unicode_escape\r\n\r\n\\ud800", "", "?"),
        (b"Content-Type: multipart/mixed\r\n\r\nno boundary", "", None),
        (b"Content-Transfer-Encoding: base64\r\n\r\n%%%", "", None),
    ],
)
def test_nonsense_is_shown_as_well_as_it_can_be(raw: bytes, subject: str | None, text: str | None) -> None:
    read = read_mail(raw)
    if subject is not None:
        assert read.header("Subject") == subject
    if text is not None:
        assert (read.text or "") == text


def test_headers_are_shown_of_parts_nested_a_thousand_deep() -> None:
    depth = 1000
    opening = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    read = read_mail(b"Subject: deep\r\n" + opening + b"Content-Type: text/plain\r\n\r\nat the bottom")
    assert read.header("Subject") == "deep"


@given(st.binary(max_size=600))
def test_any_bytes_can_be_read_and_written_as_json_text(raw: bytes) -> None:
    read = read_mail(raw)
    for part in (read.text, read.html, *(value for header in read.headers for value in header)):
        (part or "").encode()


@given(st.binary(max_size=200), st.sampled_from([b"Subject", b"Content-Type", b"Content-Disposition", b"To"]))
def test_any_header_can_be_read(value: bytes, name: bytes) -> None:
    read = read_mail(name + b": " + value.replace(b"\n", b" ").replace(b"\r", b" ") + b"\r\n\r\nbody")
    for header in read.headers:
        "".join(header).encode()
