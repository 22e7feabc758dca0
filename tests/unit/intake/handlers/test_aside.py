"""Whose fault a failed group was is found out without losing anybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.record import open_record
from services.intake.domain.submission import Contact, Submission
from services.intake.handlers.aside import Aside
from services.intake.handlers.offers import Offer, Outcome, Settled
from services.intake.store.answers import KeyInFlight
from services.intake.store.refusals import Unstorable
from services.intake.store.submissions import Arrival, NameClash
from shared.clock import monotonic
from shared.contracts.payload import CustomerTier, Language, Market, Priority, RequestKind
from shared.ids import new_id, new_reference, new_token
from shared.telemetry.context import new_trace

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DONE = Settled(201, "{}", None)


def arrival(customer: str) -> Arrival:
    submission = Submission(
        request_id=new_id(),
        reference=new_reference(),
        status_token=new_token(),
        channel="app",
        external_id=None,
        kind=RequestKind.ENQUIRY,
        process="enquiry",
        process_version=1,
        stage="received",
        product_line=None,
        priority=Priority.NORMAL,
        market=Market.HONG_KONG,
        customer_tier=CustomerTier.STANDARD,
        contact=Contact(customer, "Ann", None, None, Language.ENGLISH),
        attributes={},
        description=None,
        submitted_at=NOW,
        recorded_at=NOW,
    )
    history = open_record(submission).history
    return Arrival(submission, history, key=new_id().hex, fingerprint=bytes(32), status=201, body="{}")


class Bench:
    """An `Aside` whose transactions fail when one of the group is guilty.

    Attributes:
        stored: in the order of the transactions.
        tries: sizes of the groups that were tried.
    """

    def __init__(self, failure_of: Callable[[Offer], Exception | None]) -> None:
        self._failure_of = failure_of
        self.stored: list[Offer] = []
        self.tries: list[int] = []
        self.outcomes: dict[Offer, Outcome] = {}
        self.aside = Aside(self._attempt, self._settle)

    async def _attempt(self, group: Sequence[Offer], _: timedelta) -> Exception | None:
        self.tries.append(len(group))
        failure = next(filter(None, map(self._failure_of, group)), None)
        if failure is None:
            self.stored += group
            for offer in group:
                self._settle(offer, DONE)
        return failure

    def _settle(self, offer: Offer, outcome: Outcome) -> None:
        assert offer not in self.outcomes
        self.outcomes[offer] = outcome
        self.aside.leave(offer)

    def offers(self, count: int) -> list[Offer]:
        makes = [partial(arrival, f"C-{number}") for number in range(count)]
        return [Offer(make, make(), 100, new_trace(), monotonic(), asyncio.Future()) for make in makes]


@given(st.integers(min_value=2, max_value=600), st.data())
def test_all_but_the_guilty_are_stored_in_order(count: int, data: st.DataObject) -> None:
    guilty = data.draw(st.sets(st.integers(min_value=0, max_value=count - 1), min_size=1, max_size=5))

    async def scenario() -> None:
        failure = Unstorable("CheckViolationError at market")
        bench = Bench(lambda offer: failure if offers.index(offer) in guilty else None)
        offers = bench.offers(count)
        bench.aside.take_over(offers, failure)
        await bench.aside.work()
        assert bench.stored == [offer for number, offer in enumerate(offers) if number not in guilty]
        assert [offers.index(offer) for offer, outcome in bench.outcomes.items() if outcome is failure] == sorted(
            guilty
        )
        assert len(bench.tries) <= 8 + 4 * 8 * len(guilty)
        assert not any(bench.aside.has(offer.subject) for offer in offers)

    asyncio.run(scenario())


async def test_what_follows_a_customer_who_is_here_is_tried_after_him() -> None:
    is_held = True
    bench = Bench(lambda offer: KeyInFlight("held") if is_held and offer is held else None)
    held, other, later = bench.offers(3)
    later.arrival = arrival("C-0")
    held.give_up_at = monotonic() - 1
    bench.aside.take_over([held, other], KeyInFlight("held"))
    assert bench.aside.has(later.subject)
    bench.aside.follow([later])
    await bench.aside.work()
    assert bench.stored == [other, later]
    assert isinstance(bench.outcomes[held], KeyInFlight)


async def test_a_lock_is_waited_for_until_patience_ends_and_others_pass_meanwhile() -> None:
    tries = 0

    def failure_of(offer: Offer) -> Exception | None:
        nonlocal tries
        tries += offer is held
        return KeyInFlight("held") if offer is held and tries < 5 else None

    bench = Bench(failure_of)
    held, *others = bench.offers(4)
    held.give_up_at = monotonic() + 60
    bench.aside.take_over([held, *others], KeyInFlight("held"))
    await bench.aside.work()
    assert bench.stored == [*others, held]


async def test_a_taken_name_is_replaced_and_four_more_are_tried() -> None:
    bench = Bench(lambda offer: NameClash("taken") if offer is unlucky and offer.names_tried < 3 else None)
    unlucky, other = bench.offers(2)
    first = unlucky.arrival.submission.reference
    bench.aside.take_over([unlucky, other], NameClash("taken"))
    await bench.aside.work()
    assert bench.stored == [unlucky, other]
    assert unlucky.arrival.submission.reference != first

    hopeless = Bench(lambda _: NameClash("taken"))
    (offer,) = hopeless.offers(1)
    hopeless.aside.take_over([offer], NameClash("taken"))
    await hopeless.aside.work()
    assert (offer.names_tried, type(hopeless.outcomes[offer])) == (5, RuntimeError)
