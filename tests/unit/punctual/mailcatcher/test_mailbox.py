"""The index over the journal: newest first, pages, search, restart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from punctual.local.mailcatcher.journal import Journal
from punctual.local.mailcatcher.mailbox import Mailbox
from punctual.local.mailcatcher.pages import list_page, mail_page
from punctual.local.mailcatcher.reading import read_mail

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class Kept:
    """A mailbox that can be closed and opened again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._journal = Journal(file)
        self.mailbox = Mailbox(self._journal)

    def open_again(self) -> Mailbox:
        self.close()
        self._journal = Journal(self._file)
        self.mailbox = Mailbox(self._journal)
        return self.mailbox

    def close(self) -> None:
        self._journal.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path / "journal")
    yield kept
    kept.close()


async def put(mailbox: Mailbox, number: int, subject: str = "") -> int:
    raw = f"Subject: {subject or f'number {number}'}\r\nMessage-ID: <{number}@x>\r\n\r\ntext {number}".encode()
    return await mailbox.keep("from@insurer.example", [f"c{number}@customer.example"], raw, AT)


async def test_pages_go_from_the_newest_to_the_oldest(kept: Kept) -> None:
    for number in range(1, 8):
        await put(kept.mailbox, number)
    first, has_older = kept.mailbox.page(3, before=None, containing="")
    assert ([entry.id for entry in first], has_older) == ([7, 6, 5], True)
    last, has_older = kept.mailbox.page(3, before=2, containing="")
    assert ([entry.id for entry in last], has_older) == ([1], False)


async def test_everything_is_there_again_after_a_restart(kept: Kept) -> None:
    await put(kept.mailbox, 1, "您的申請")
    before = [kept.mailbox.details(entry) for entry in kept.mailbox.newest()]
    again = kept.open_again()
    assert [again.details(entry) for entry in again.newest()] == before
    assert before[0]["to"] == ["c1@customer.example"]
    assert before[0]["subject"] == "您的申請"
    assert before[0]["headers"]["message-id"] == before[0]["message_id"] == "<1@x>"
    assert before[0]["text"] == "text 1"
    assert await put(again, 2) == 2


async def test_ids_go_on_after_everything_was_forgotten_even_over_a_restart(kept: Kept) -> None:
    await put(kept.mailbox, 1)
    await put(kept.mailbox, 2)
    await kept.mailbox.clear()
    assert kept.mailbox.count == 0
    assert kept.mailbox.entry(1) is None
    assert await put(kept.open_again(), 3) == 3


async def test_mails_are_found_by_subject_address_and_message_id(kept: Kept) -> None:
    await put(kept.mailbox, 1, "您的理賠申請")
    await put(kept.mailbox, 2)
    for needle, wanted in (("理賠", [1]), ("C2@CUSTOMER", [2]), ("<1@x>", [1]), ("insurer", [2, 1]), ("nobody", [])):
        assert [entry.id for entry in kept.mailbox.newest(containing=needle)] == wanted


async def test_only_mails_after_an_id_are_given_to_who_asks_again(kept: Kept) -> None:
    for number in range(1, 5):
        await put(kept.mailbox, number)
    assert [entry.id for entry in kept.mailbox.newest(after=2)] == [4, 3]


async def test_what_came_by_mail_is_escaped_on_every_page(kept: Kept) -> None:
    raw = b"Subject: <script>alert(1)</script>\r\nX: <b>\r\n\r\nsee http://x.example/t/abc). <img src=x>"
    await kept.mailbox.keep('"><script>', ["<i>@x"], raw, AT)
    (entry,) = kept.mailbox.newest()
    listed = list_page([entry], count=1, containing='"><script>', has_older=False, is_first=True)
    shown = mail_page(entry, read_mail(raw))
    for page in (listed, shown):
        assert "<script" not in page
        assert "<i>@x" not in page
        assert "<img" not in page
    assert '<a href="http://x.example/t/abc" ' in shown


async def test_an_html_part_is_shown_only_in_a_frame_without_scripts(kept: Kept) -> None:
    raw = b"Content-Type: text/html\r\n\r\n<p onclick=alert(1)>hello</p>"
    await kept.mailbox.keep("a@x", ["b@x"], raw, AT)
    (entry,) = kept.mailbox.newest()
    page = mail_page(entry, read_mail(raw))
    assert "onclick" not in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox" src="/messages/1/html"' in page
