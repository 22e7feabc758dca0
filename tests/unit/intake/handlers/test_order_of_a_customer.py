"""Whatever fails and however often, the requests of a customer are stored in the order they came in."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.handlers import group_commit, lane
from services.intake.handlers.group_commit import GroupCommit
from services.intake.handlers.offers import Offer, Outcome, Settled
from services.intake.store.answers import KeyInFlight
from services.intake.store.refusals import Unstorable
from services.intake.store.submissions import NameClash
from shared.telemetry.context import new_trace
from tests.unit.intake.handlers.test_aside import arrival

NOTHING = cast("Any", None)

failures: st.SearchStrategy[list[Exception]] = st.one_of(
    st.just([]),
    st.lists(st.sampled_from([KeyInFlight("held"), NameClash("taken")]), max_size=3),
    st.just([Unstorable("CheckViolationError at market")] * 20),
)
"""Of one request, one at each attempt; then it can be stored."""

offers = st.tuples(st.sampled_from("ABC"), failures, st.integers(min_value=0, max_value=3))
"""A customer, what fails, and how many turns of others go by before the next comes."""


class Store:
    """Takes the place of the transaction, which lasts for two turns.

    Attributes:
        stored: numbers of requests by customer, in order.
    """

    def __init__(self) -> None:
        self.stored: dict[str, list[int]] = defaultdict(list)
        self.failures: dict[str, list[Exception]] = {}
        self.numbers: dict[str, int] = {}

    async def take_in(self, _: object, __: object, group: Sequence[Offer], *___: object) -> list[Outcome]:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for offer in group:
            if left := self.failures[offer.arrival.key]:
                raise left.pop(0)
        for offer in group:
            self.stored[offer.subject[1]].append(self.numbers[offer.arrival.key])
        return [Settled(201, "{}", offer.arrival.submission) for offer in group]


@given(st.lists(offers, max_size=25), st.integers(min_value=1, max_value=5))
def test_the_order_of_a_customer_is_kept(coming: list[tuple[str, list[Exception], int]], largest: int) -> None:
    async def scenario() -> None:
        store = Store()
        with pytest.MonkeyPatch.context() as patching:
            patching.setattr(group_commit, "take_in", store.take_in)
            patching.setattr(lane, "MOST_OFFERS", largest)
            group = GroupCommit(NOTHING, NOTHING, customer_keys=NOTHING, key_patience=timedelta(minutes=1))
            futures = []
            for number, (customer, fails, turns) in enumerate(coming):
                made = arrival(customer)
                store.failures[made.key], store.numbers[made.key] = list(fails), number
                futures.append(group.offer(lambda made=made: made, 100, new_trace()))
                for _ in range(turns):
                    await asyncio.sleep(0)
            outcomes = await asyncio.gather(*futures)
            await group.finish()
        for customer, numbers in store.stored.items():
            assert numbers == sorted(numbers), customer
        stored = sorted(number for numbers in store.stored.values() for number in numbers)
        assert stored == [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Settled)]
        refused = [fails for (_, fails, _), one in zip(coming, outcomes, strict=True) if isinstance(one, Exception)]
        assert all(isinstance(error, Unstorable) for fails in refused for error in fails)

    asyncio.run(scenario())
