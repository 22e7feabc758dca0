"""What the demo has begun survives its end, whatever end that was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from punctual.demo.journal import Begun, Journal

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def test_requests_under_way_are_known_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "data" / "demo.jsonl")
    for number in (1, 2, 3):
        journal.begin(9, number, AT + timedelta(hours=number))
    journal.accepted(1, "REF-1")
    journal.done(1, 2)
    journal.accepted(2, "REF-2")
    journal.ended(2)
    journal.close()
    for _ in range(2):  # reading it compacts it, which must not change it
        again = Journal(tmp_path / "data" / "demo.jsonl")
        again.close()
        assert again.under_way == {
            1: Begun(9, 1, AT + timedelta(hours=1), "REF-1", 2),
            3: Begun(9, 3, AT + timedelta(hours=3)),
        }
        assert (again.last_number, again.last_at) == (3, AT + timedelta(hours=3))


def test_numbers_go_on_even_when_everything_ended(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "demo.jsonl")
    journal.begin(1, 41, AT)
    journal.ended(41)
    journal.close()
    for _ in range(2):
        again = Journal(tmp_path / "demo.jsonl")
        again.close()
        assert (again.last_number, again.last_at, again.under_way) == (41, AT, {})


def test_a_torn_last_line_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "demo.jsonl"
    journal = Journal(file)
    journal.begin(1, 1, AT)
    journal.accepted(1, "REF-1")
    journal.close()
    with file.open("a") as out:
        out.write('{"n": 1, "do')
    again = Journal(file)
    again.done(1, 1)
    again.close()
    last = Journal(file)
    last.close()
    assert last.under_way[1] == Begun(1, 1, AT, "REF-1", 1)
