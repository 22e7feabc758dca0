"""Groups that failed, and how the member at fault is found.

A transaction fails as a whole: a key or a customer that another transaction holds, a name that is taken, a row that
Postgres refuses. The group is cut into parts, the parts that fail into smaller ones, until the one at fault is alone
and all others are stored. This happens beside the lanes, which go on with what arrives.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from itertools import chain

from services.intake.handlers.offers import Offer, Outcome, Subject
from services.intake.store.answers import KeyInFlight
from services.intake.store.submissions import CustomerBusy, CustomerMet, NameClash
from shared.clock import monotonic

Attempt = Callable[[Sequence[Offer], timedelta], Awaitable[Exception | None]]
"""Tries a group, waiting so long for a lock. Gives the failure when one of it is at fault; else all are settled."""

_PARTS = 8  # 500 are three cuts away from being alone; halves would take nine

_GLANCE = timedelta(milliseconds=10)
"""How long to wait for a lock while other customers wait aside: its holder had the patience of the whole group."""

_STARE = timedelta(milliseconds=250)
"""How long to wait for a lock while no other customer does: what comes meanwhile waits for no longer than this."""

_NAMING_ATTEMPTS = 5  # at 1e8 requests one name in 260,000 is taken; five in a row say that something else is wrong


class Aside:
    """What has left the lanes, in the order in which it is tried again."""

    def __init__(self, attempt: Attempt, settle: Callable[[Offer, Outcome], None]) -> None:
        self._attempt = attempt
        self._settle = settle
        self._parts: deque[Sequence[Offer]] = deque()
        self._subjects: Counter[Subject] = Counter()

    def waiting(self) -> Iterator[Offer]:
        """What is here and not being tried this moment."""
        return chain.from_iterable(self._parts)

    def has(self, subject: Subject) -> bool:
        """Something of this customer is here. What follows it has to come here too: it would fail, or overtake."""
        return subject in self._subjects

    def follow(self, group: Sequence[Offer]) -> None:
        """Add some that were not tried yet."""
        self._enter(group)
        self._parts.append(group)

    def take_over(self, group: Sequence[Offer], failure: Exception) -> None:
        """Add a group that failed."""
        self._enter(group)
        if len(group) == 1:
            self._judge(group[0], failure)
        else:
            self._parts.extend(_cut(group))

    def leave(self, offer: Offer) -> None:
        """Called for each that is settled."""
        self._subjects[offer.subject] -= 1
        if not self._subjects[offer.subject]:
            del self._subjects[offer.subject]

    async def work(self) -> None:
        """Return when nothing is left."""
        while self._parts:
            part = self._parts.popleft()
            failure = await self._attempt(part, _GLANCE if len(part) > 1 or len(self._subjects) > 1 else _STARE)
            if failure is None:
                continue
            if len(part) == 1:
                self._judge(part[0], failure)
            else:
                self._parts.extendleft(reversed(_cut(part)))

    def _enter(self, group: Sequence[Offer]) -> None:
        for offer in group:
            offer.is_aside = True
            self._subjects[offer.subject] += 1

    def _judge(self, offer: Offer, failure: Exception) -> None:
        """It failed alone, so it is at fault."""
        match failure:
            case KeyInFlight() | CustomerBusy() if offer.give_up_at is not None and monotonic() < offer.give_up_at:
                self._put_back(offer)
            case NameClash() | CustomerMet() if offer.names_tried < _NAMING_ATTEMPTS:
                offer.rename()
                self._parts.appendleft([offer])
            case NameClash() | CustomerMet():
                self._settle(offer, RuntimeError("no free name for the request was found"))
            case _:
                self._settle(offer, failure)

    def _put_back(self, offer: Offer) -> None:
        """To the end, before those of its customer that came after it: the newest details have to be stored last."""
        followers: list[Offer] = []
        if self._subjects[offer.subject] > 1:
            parts, self._parts = self._parts, deque()
            for part in parts:
                followers += [one for one in part if one.subject == offer.subject]
                if others := [one for one in part if one.subject != offer.subject]:
                    self._parts.append(others)
        self._parts.append([offer])
        if followers:
            self._parts.append(followers)


def _cut(group: Sequence[Offer]) -> list[Sequence[Offer]]:
    """At most eight parts, in order."""
    size = -(-len(group) // _PARTS)
    return [group[start : start + size] for start in range(0, len(group), size)]
