from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.quality_audit.domain.selection import (
    TICKETS,
    UnitId,
    as_text,
    commitment,
    is_chosen,
    secret_of_period,
    threshold,
    unit_ticket,
)

SECRET = secret_of_period(b"a secret of the tests, 32 bytes or so", "2026Q4")
units = st.builds(UnitId, st.uuids(), st.integers(1, 5))
rates = st.floats(0.005, 1.0)


def chosen(given_units: Sequence[UnitId], rate: float, secret: bytes = SECRET) -> set[UnitId]:
    return {unit for unit in given_units if is_chosen(unit_ticket(secret, unit), rate)}


@given(st.lists(units, max_size=50), rates, st.randoms(use_true_random=False), st.integers(0, 50))
def test_neither_order_nor_batches_change_the_sample(
    given_units: list[UnitId], rate: float, chance: Random, cut: int
) -> None:
    shuffled = chance.sample(given_units, len(given_units))
    assert chosen(given_units, rate) == chosen(shuffled[:cut], rate) | chosen(shuffled[cut:], rate)


@given(st.lists(units, max_size=50), rates, rates)
def test_a_higher_rate_only_adds(given_units: list[UnitId], one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert chosen(given_units, low) <= chosen(given_units, high)


@given(units)
def test_rate_one_chooses_everything(unit: UnitId) -> None:
    assert is_chosen(unit_ticket(SECRET, unit), 1.0)
    assert is_chosen(TICKETS - 1, 1.0)
    assert threshold(1.0) is None


@given(st.integers(0, TICKETS - 1), st.integers(0, TICKETS - 1))
def test_tickets_as_text_keep_their_order(one: int, other: int) -> None:
    assert (as_text(one) < as_text(other)) == (one < other)


def test_the_share_chosen_is_the_rate() -> None:
    many = [UnitId(UUID(int=number), 1) for number in range(20_000)]
    for rate in (0.005, 0.1, 0.25, 0.9):
        expected, deviation = rate * len(many), sqrt(rate * (1 - rate) * len(many))
        assert abs(len(chosen(many, rate)) - expected) < 4 * deviation


def test_periods_and_cycles_are_chosen_independently() -> None:
    many = [UnitId(UUID(int=number), 1) for number in range(10_000)]
    next_quarter = secret_of_period(b"a secret of the tests, 32 bytes or so", "2027Q1")
    again = {unit.request_id for unit in chosen([UnitId(unit.request_id, 2) for unit in many], 0.5)}
    for other in ({unit.request_id for unit in chosen(many, 0.5, next_quarter)}, again):
        both = {unit.request_id for unit in chosen(many, 0.5)} & other
        assert abs(len(both) - 2_500) < 4 * sqrt(10_000 * 0.25 * 0.75)


def test_the_commitment_tells_the_secret_of_one_period_from_another() -> None:
    assert commitment(SECRET) != commitment(secret_of_period(b"another master secret of the tests", "2026Q4"))
    assert SECRET.hex() not in commitment(SECRET)


def test_the_ticket_of_a_unit_stays_what_it_was() -> None:
    # A change of the message would silently reshuffle every running sample.
    unit = UnitId(UUID("01890a5d-ac96-774b-bcce-b302099a8057"), 1)
    assert as_text(unit_ticket(b"k", unit)) == "3c5347a344db6669"
