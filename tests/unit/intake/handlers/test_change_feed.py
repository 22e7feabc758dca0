"""The places of readers: so many in all, and so many of one caller."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.intake.handlers.change_feed import ChangeFeed

_NOTHING: Any = None
CALLERS = ["key:app", "key:web", "token:7f3a"]


def test_one_caller_takes_no_more_than_its_share() -> None:
    feed = ChangeFeed(_NOTHING)
    assert sum(feed.admit("key:app") for _ in range(200)) == 20
    assert feed.admit("key:web")
    feed.leave("key:app")
    assert feed.admit("key:app")
    assert not feed.admit("key:app")


@given(st.lists(st.tuples(st.sampled_from(CALLERS), st.booleans())))
def test_whoever_comes_and_goes_the_bounds_hold_and_nobody_is_remembered(steps: list[tuple[str, bool]]) -> None:
    feed, expected = ChangeFeed(_NOTHING, most_readers=5, most_of_one=3), Counter[str]()
    for caller, comes in steps:
        if comes:
            is_free = expected.total() < 5 and expected[caller] < 3
            assert feed.admit(caller) == is_free
            expected[caller] += is_free
        elif expected[caller]:
            feed.leave(caller)
            expected[caller] -= 1
        assert feed.readers == expected
    for caller in expected.elements():
        feed.leave(caller)
    assert not list(feed.readers)
    feed.stop()
    assert not feed.admit("key:app")
