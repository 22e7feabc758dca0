"""Which ports a system takes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from punctual.local.ports import PREFERRED, choose_ports


def free_except(*taken: int) -> Callable[[int], bool]:
    return lambda port: port not in taken


def test_the_usual_ports_are_taken_when_they_are_free() -> None:
    told: list[str] = []
    assert choose_ports(PREFERRED, "preferred", told.append, is_free=free_except()) == dict(PREFERRED)
    assert told == []


def test_a_taken_port_is_said_and_the_next_free_one_used() -> None:
    told: list[str] = []
    ports = choose_ports(["intake", "postgres"], "preferred", told.append, is_free=free_except(8801, 8840))
    assert ports == {"intake": 8841, "postgres": 5532}
    assert told == ["port 8801 is taken, intake uses 8841"]


def test_two_replacements_never_meet() -> None:
    ports = choose_ports(PREFERRED, "preferred", print, is_free=free_except(*PREFERRED.values()))
    assert len(set(ports.values())) == len(PREFERRED)
    assert set(ports.values()).isdisjoint(PREFERRED.values())


def test_a_second_start_keeps_the_ports_of_the_first() -> None:
    last = {"intake": 25_000, "kafka": 25_001}
    numbers = count(30_000)
    ports = choose_ports(
        ["intake", "kafka", "postgres"],
        "auto",
        print,
        last=last,
        is_free=free_except(25_001),
        any_free=lambda: next(numbers),
    )
    assert ports == {"intake": 25_000, "kafka": 30_000, "postgres": 30_001}


def test_the_usual_port_is_taken_again_when_it_is_free_again() -> None:
    assert choose_ports(["intake"], "preferred", print, last={"intake": 8841}, is_free=free_except()) == {
        "intake": 8801
    }


def test_a_replacement_is_kept_while_the_usual_port_is_taken() -> None:
    last = {"intake": 8855}
    assert choose_ports(["intake"], "preferred", print, last=last, is_free=free_except(8801)) == last


def test_any_free_ports_differ() -> None:
    offers = iter([21_000, 21_000, 21_000, 21_001])
    ports = choose_ports(["a", "b"], "auto", print, is_free=free_except(), any_free=lambda: next(offers))
    assert ports == {"a": 21_000, "b": 21_001}
