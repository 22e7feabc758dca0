"""The whole engine in simulated time against a reference that recomputes everything from all events.

A seed that fails replays alone: ``python -m tests.campaign.engine --seed THAT``.
"""

from __future__ import annotations

import pytest

from tests.model import judging
from tests.model.playing import play

SEEDS = 500
BLOCK = 20


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_that_the_engine_decides_what_the_reference_reckons(first: int) -> None:
    for seed in range(first, first + BLOCK):
        play(seed)


def test_that_reading_only_what_an_entry_concerns_overlooks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "CHECKED_SHARE", 1)  # all is read again after each entry and each timer
    for seed in range(SEEDS, SEEDS + BLOCK):
        play(seed)
