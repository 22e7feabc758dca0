"""Pasts only add up: whatever is recorded, stored and read in whatever order, nothing is lost or doubled."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.anomalies.plausibility import Counts, Key
from services.intake.handlers import pasts
from services.intake.handlers.pasts import Pasts
from tests.unit.intake.validation.shipped import BOOK, facts

PROCESSES = st.integers(0, 1)


class Table:
    """What the database holds."""

    def __init__(self) -> None:
        self.counts: dict[Key, Counter[int]] = {}

    def add(self, news: Counts) -> None:
        for key, fallen in news.items():
            self.counts.setdefault(key, Counter()).update(fallen)

    @property
    def total(self) -> int:
        return sum(sum(fallen.values()) for fallen in self.counts.values())


def total(one: Pasts) -> int:
    return sum(one._totals.values())


@given(st.lists(st.tuples(PROCESSES, st.sampled_from(["record", "store", "fail", "read"])), max_size=40))
def test_what_processes_recorded_is_stored_once_and_known_to_all(steps: list[tuple[int, str]]) -> None:
    table, processes, recorded = Table(), [Pasts(BOOK.plausibility) for _ in range(2)], 0
    for number, what in steps:
        one = processes[number]
        match what:
            case "record":
                one.record(facts({"amount": 100 + recorded}))
                recorded += 1
            case "store":
                table.add(one.take_news())
            case "fail":
                one.give_back(one.take_news())
            case _:
                one.replace(table.counts)
    for one in processes:
        table.add(one.take_news())
    for one in processes:
        one.replace(table.counts)
    assert [table.total, *map(total, processes)] == [recorded] * 3


def test_memory_is_bounded_whatever_product_lines_a_channel_invents(monkeypatch: Any) -> None:
    monkeypatch.setattr(pasts, "MOST_GROUPS", 3)
    one = Pasts(BOOK.plausibility)
    for number in range(10):
        one.record(facts({"amount": 5}, line=f"invented-{number}"))
    assert total(one) == 3
    one.record(facts({"amount": 5}, line="invented-0"))
    assert total(one) == 4


def test_what_is_usual_is_read_anew_when_the_past_has_grown() -> None:
    one = Pasts(BOOK.plausibility)
    for _ in range(200):
        one.record(facts({"amount": 100}))
    assert len(list(one.judge(facts({"amount": 90_000})))) == 1
    for _ in range(300):
        one.record(facts({"amount": 90_000}))
    assert list(one.judge(facts({"amount": 90_000}))) == []
