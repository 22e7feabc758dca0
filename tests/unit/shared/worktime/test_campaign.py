"""A few thousand cases of the campaign; ``python -m tests.campaign.worktime --cases 1000000`` asks more."""

from __future__ import annotations

import sys

import pytest

from shared.worktime import WorkingTime
from tests.campaign import worktime
from tests.campaign.worktime import BLOCK, run


def test_working_time_is_what_walking_over_instants_finds() -> None:
    assert run(cases=3000, seed=20_260_601) == []


def test_the_campaign_ends_with_the_counts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["worktime", "--cases", "150", "--seed", "7"])
    assert worktime.main() == 0
    assert capsys.readouterr().out == "150 passed, 0 failed\n"


def test_a_wrong_answer_is_found_and_named_with_the_seed_that_repeats_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkingTime, "is_open", lambda _self, _at: False)
    failures = run(cases=3 * BLOCK, seed=11)
    assert {failure.seed for failure in failures} == {11, 12, 13}
    assert str(failures[0]).startswith("seed 11: is_open and next_open(")
    again = run(cases=BLOCK, seed=13)
    assert [str(failure) for failure in again] == [str(failure) for failure in failures if failure.seed == 13]
