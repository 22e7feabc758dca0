"""Finds out for a whole group whether its requests came already, and has those doubted that likely did.

Asked at the beginning of the transaction, before it holds a lock. A customer has always the same lane, so what a lane
committed before is seen; the members of the group are compared with each other. Two processes that take in the same
request at the same instant do not see each other: the second is not doubted then, and nothing worse happens.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

from services.intake.domain.anomalies.likeness import Decision, Duplicate, Portrait, find_duplicates
from services.intake.domain.anomalies.limits import DuplicateLimits
from services.intake.handlers.offers import Offer
from services.intake.store.answers import find_answers
from services.intake.store.portraits import MOST_CANDIDATES, Candidates, find_candidates
from shared.postgres import Connection

_MOST_NAMED = 3
"""Of its own channel, and of others: a channel is shown its own only, and others must not crowd them out. Whoever looks
at the likest three and finds no duplicate needs no fourth."""


async def name_duplicates(
    connection: Connection, group: Sequence[Offer], limits: DuplicateLimits, *, is_among: bool = True
) -> None:
    """Make those of the group anew, with a doubt, that are likely duplicates. What repeats the key of one before it is
    not taken in: it is doubted of nothing, and nothing is a duplicate of it.

    Args:
        is_among: they are compared with each other, too. A key that another transaction uses this moment is not seen
            here; who stores the group finds that out, and asks again.
    """
    by_key: dict[tuple[str, str], Offer] = {}
    for offer in group:
        by_key.setdefault((offer.arrival.submission.channel, offer.arrival.key), offer)
    asked = [(offer, offer.arrival.portrait) for offer in by_key.values() if offer.arrival.portrait is not None]
    if not asked:
        return
    stored = await find_candidates(connection, [portrait for _, portrait in asked], limits.within)
    firsts = await _new_ones(connection, asked) if is_among else set()
    earlier: defaultdict[tuple[str, str, str], Candidates] = defaultdict(list)
    for (offer, portrait), known in zip(asked, stored, strict=True):
        same = earlier[portrait.sort] if firsts else []
        if known or same or offer.duplicates:
            offer.name_duplicates(_likely(portrait, chain(known, same[-MOST_CANDIDATES:]), limits))
        if offer in firsts:
            same.append((str(offer.arrival.submission.request_id), portrait))


async def _new_ones(connection: Connection, asked: Sequence[tuple[Offer, Portrait]]) -> set[Offer]:
    """Those of one customer and kind whose keys were not used before: what is named as taken in has to be."""
    sorts = Counter(portrait.sort for _, portrait in asked)
    several = {(portrait.channel, offer.arrival.key): offer for offer, portrait in asked if sorts[portrait.sort] > 1}
    used = await find_answers(connection, several) if several else {}
    return {offer for name, offer in several.items() if name not in used}


def _likely(portrait: Portrait, recent: Iterable[tuple[str, Portrait]], limits: DuplicateLimits) -> list[Duplicate]:
    found = find_duplicates(portrait, recent, limits)
    left = dict.fromkeys((True, False), _MOST_NAMED)
    named = []
    for one in found:
        is_own = one.channel == portrait.channel
        if one.likeness.decision is Decision.LIKELY and left[is_own]:
            left[is_own] -= 1
            named.append(one)
    return named
