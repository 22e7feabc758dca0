"""The last changes in memory: the same as the log would give, as far as they reach, at the cost of what is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.life import State
from services.intake.handlers.recent_changes import RecentChanges, Stretch
from services.intake.store.changes import Mark, RequestChange, Whereabouts
from shared.contracts.payload import RequestKind

_HERE = Whereabouts(None, "received")
_CHANGE = RequestChange(
    mark=Mark(1),
    type="noted",
    recorded_at=datetime(2026, 11, 26, tzinfo=UTC),
    reference="K7M4Q-2XD9C",
    kind=RequestKind.CLAIM,
    channel="app",
    version=1,
    state=State.OPEN,
    now=_HERE,
    before=_HERE,
    after=_HERE,
)
_MARKS = st.builds(Mark, st.integers(2, 6), st.builds(UUID, int=st.integers(1, 3)), st.integers(1, 3))
_LOGS = st.lists(_MARKS, unique=True).map(sorted)


def _follow(log: list[Mark], most: int, page: int) -> RecentChanges:
    """What a process keeps that reads the log page by page."""
    recent = RecentChanges(most)
    recent.begin(Mark(2))
    for begin in range(0, len(log), page):
        read = [replace(_CHANGE, mark=mark) for mark in log[begin : begin + page]]
        recent.add(Stretch(read, is_whole=len(read) < page))
    return recent


@given(_LOGS, st.builds(Mark, st.integers(1, 7)) | _MARKS, *[st.integers(1, 9)] * 3, st.integers(0, 45))
def test_it_gives_what_the_log_has_and_where_to_go_on_without_naming_a_request(
    log: list[Mark], mark: Mark, most: int, page: int, count: int, pages: int
) -> None:
    read = log[: pages * page]
    stretch = _follow(read, most, page).after(mark, count)
    if stretch is None:
        assert mark < Mark(2) or sum(other > mark for other in read) > most
        return
    told = [change.mark for change in stretch.changes]
    assert told == [other for other in read if other > mark][:count]
    if told:
        end = stretch.nameless_end
        assert end == Mark(end.transaction_id), "it names no request"
        untold = [other for other in log if other > mark and other not in told]
        assert all(other > end for other in untold), "nothing is lost"
        assert not stretch.is_whole or all(other < end for other in told), "nothing is read twice"


class _Counted(Mark):
    comparisons = 0

    def __gt__(self, other: Mark) -> bool:
        _Counted.comparisons += 1
        return not self <= other


def test_a_reader_who_keeps_up_costs_no_look_at_what_is_behind_it() -> None:
    recent = RecentChanges(2_000)
    recent.begin(_Counted(0))
    recent.add(Stretch([replace(_CHANGE, mark=_Counted(number)) for number in range(1, 2_001)], is_whole=True))
    for behind in (0, 1, 5):
        _Counted.comparisons = 0
        stretch = recent.after(_Counted(2_000 - behind), 500)
        assert stretch is not None
        assert len(stretch.changes) == behind
        assert _Counted.comparisons <= behind + 1
