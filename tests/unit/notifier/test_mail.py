"""The bytes of a mail, read back by Python's own parser."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.wording.mail import Sender, UnsafeHeader, compose, message_id
from services.notifier.domain.wording.rendering import Words
from shared.contracts.payload import Language

SENDER = Sender("Insurer Service", "service@insurer.example", "care@insurer.example")
DATE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PRINTABLE = st.text(
    st.one_of(
        st.characters(min_codepoint=0x20, max_codepoint=0x7E),
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
        st.sampled_from("–’“”é，。：（）😀"),
    ),
    min_size=1,
    max_size=120,
)


def words(subject: str = "Hello", text: str = "one\n\ntwo\n") -> Words:
    return Words(Language.ENGLISH, subject, text, "<p>one</p>\n")


def composed(
    w: Words, recipients: tuple[str, ...] = ("a@b.example",), correlation_id: str = "corr-1", sender: Sender = SENDER
) -> bytes:
    return compose(
        w, sender=sender, recipients=recipients, delivery="n:email:1", date=DATE, correlation_id=correlation_id
    )


def read(message: bytes) -> EmailMessage:
    return message_from_bytes(message, policy=policy.default)


@given(PRINTABLE)
def test_a_subject_comes_back_as_it_was(subject: str) -> None:
    message = composed(words(subject))
    raw = re.search(rb"^Subject: (.*?)\r\n(?=\S)", message, re.DOTALL | re.MULTILINE)
    assert raw is not None
    assert str(make_header(decode_header(raw.group(1).decode().replace("\r\n", "")))) == subject


@given(PRINTABLE)
def test_no_line_is_longer_than_the_standards_allow(subject: str) -> None:
    message = composed(words(subject, text=subject * 10))
    assert max(len(line) for line in message.split(b"\r\n")) <= 78
    assert max((len(word) for word in re.findall(rb"=\?\S+\?=", message)), default=0) <= 75
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert message.isascii()


def test_text_and_html_are_alternatives_of_one_mail() -> None:
    mail = read(composed(words(text="第一行\n第二行\n")))
    plain, html = mail.get_body(["plain"]), mail.get_body(["html"])
    assert plain is not None
    assert html is not None
    assert plain.get_content() == "第一行\r\n第二行\r\n"
    assert html.get_content() == "<p>one</p>\r\n"
    assert mail.get_content_type() == "multipart/alternative"


def test_no_machine_shall_answer() -> None:
    mail = read(composed(words()))
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Reply-To"] == "care@insurer.example"
    assert mail["From"] == "Insurer Service <service@insurer.example>"
    assert mail["X-Correlation-ID"] == "corr-1"
    assert mail["Date"].datetime == DATE
    assert not mail.defects


def test_the_same_delivery_gives_the_same_bytes() -> None:
    assert composed(words()) == composed(words())


def test_the_message_id_is_of_the_delivery_and_not_of_the_attempt() -> None:
    assert message_id("n:email:1", "insurer.example") == message_id("n:email:1", "insurer.example")
    assert message_id("n:email:1", "insurer.example") != message_id("n:email:2", "insurer.example")


def test_a_role_with_several_addresses_gets_one_mail() -> None:
    mail = read(composed(words(), recipients=("a@b.example", "c@d.example")))
    assert [address.addr_spec for address in mail["To"].addresses] == ["a@b.example", "c@d.example"]


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: x@y.example",
        "a b@c.example",
        "a@b.example>",
        "",
        "a",
        "a@",
        '"a b"@c.example',
        "名@b.example",
        "a\x00@b.example",
    ],
)
def test_an_address_that_is_more_than_an_address_is_refused(address: str) -> None:
    with pytest.raises(UnsafeHeader):
        composed(words(), recipients=(address,))


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@y.example", "a\x00", "a\x1b[0m", "a\u2028b", "a\u202eb"])
def test_a_control_character_in_a_header_is_refused(subject: str) -> None:
    with pytest.raises(UnsafeHeader):
        composed(words(subject))


def test_a_correlation_id_that_fits_no_header_is_left_out() -> None:
    assert "X-Correlation-ID" not in read(composed(words(), correlation_id="a\r\nBcc: x@y.example"))


def test_a_sender_may_have_a_chinese_name() -> None:
    mail = read(composed(words(), sender=Sender("保險服務中心", "service@insurer.example")))
    assert str(mail["From"]) == "保險服務中心 <service@insurer.example>"
