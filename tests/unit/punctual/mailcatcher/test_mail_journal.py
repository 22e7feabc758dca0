"""The journal of the mail catcher: what was acknowledged is there again, what was torn is not."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from punctual.local.mailcatcher.journal import Journal


def recovered(file: Path) -> list[tuple[bytes, bytes]]:
    journal = Journal(file)
    found = [(head, journal.body(place)) for head, place in journal.recover()]
    journal.close()
    return found


async def test_acknowledged_records_are_found_again(tmp_path: Path) -> None:
    file = tmp_path / "mails" / "journal"
    journal = Journal(file)
    for number in range(5):
        await journal.append(b"head %d" % number, b"body " * number)
    journal.close()
    assert recovered(file) == [(b"head %d" % number, b"body " * number) for number in range(5)]


async def test_concurrent_appends_keep_their_order_and_their_bytes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    places = await asyncio.gather(*(journal.append(b"h%d" % n, b"b" * n) for n in range(100)))
    assert [journal.head(place) for place in places] == [b"h%d" % n for n in range(100)]
    assert [len(journal.body(place)) for place in places] == list(range(100))
    journal.close()
    assert [head for head, _ in recovered(tmp_path / "journal")] == [b"h%d" % n for n in range(100)]


@pytest.mark.parametrize("cut", [1, 5, 17, 20])
async def test_a_torn_end_is_cut_off_and_the_file_goes_on(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "journal"
    journal = Journal(file)
    await journal.append(b"first", b"1")
    await journal.append(b"second", b"2")
    journal.close()
    os.truncate(file, file.stat().st_size - cut)
    assert recovered(file) == [(b"first", b"1")]
    journal = Journal(file)
    assert len(list(journal.recover())) == 1
    await journal.append(b"third", b"3")
    journal.close()
    assert recovered(file) == [(b"first", b"1"), (b"third", b"3")]


@pytest.mark.parametrize("garbage", [b"\0" * 400, b"PMJ1" + b"\xff" * 30, b"hello"])
async def test_garbage_at_the_end_is_cut_off(tmp_path: Path, garbage: bytes) -> None:
    file = tmp_path / "journal"
    journal = Journal(file)
    await journal.append(b"first", b"1")
    journal.close()
    with file.open("ab") as out:
        out.write(garbage)
    assert recovered(file) == [(b"first", b"1")]


async def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    journal = Journal(file)
    await journal.append(b"first", b"1")
    await journal.append(b"second", b"2")
    journal.close()
    damaged = bytearray(file.read_bytes())
    damaged[-1] ^= 1
    file.write_bytes(damaged)
    assert recovered(file) == [(b"first", b"1")]


async def test_a_full_disk_fails_the_append_and_leaves_the_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal")
    await journal.append(b"first", b"1")
    with monkeypatch.context() as patch:

        def full(_descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(os, "fdatasync", full)
        with pytest.raises(OSError, match="No space left"):
            await journal.append(b"second", b"2")
    await journal.append(b"third", b"3")
    journal.close()
    assert recovered(tmp_path / "journal") == [(b"first", b"1"), (b"third", b"3")]


async def test_a_client_that_goes_away_does_not_harm_the_others(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    appends = [asyncio.create_task(journal.append(b"h%d" % n, b"")) for n in range(20)]
    await asyncio.sleep(0)
    appends[0].cancel()
    appends[7].cancel()
    done = await asyncio.gather(*appends, return_exceptions=True)
    assert sum(isinstance(place, BaseException) for place in done) == 2
    journal.close()
    heads = [head for head, _ in recovered(tmp_path / "journal")]
    assert {b"h%d" % n for n in range(20) if n not in {0, 7}} <= set(heads)


async def test_after_clearing_old_places_are_known_to_be_gone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    old = await journal.append(b"old", b"")
    await journal.clear(b"cleared")
    new = await journal.append(b"new", b"")
    assert (journal.holds(old), journal.holds(new)) == (False, True)
    journal.close()
    assert [head for head, _ in recovered(tmp_path / "journal")] == [b"cleared", b"new"]
