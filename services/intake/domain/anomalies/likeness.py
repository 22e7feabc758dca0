"""How likely a new request is one that came already.

Each trait of two requests is compared on its own, from 0 (differs) to 1 (alike), or not at all where one of them lacks
it. Traits that are alike give points for a duplicate, others points against; the score is the share of the points for.
So it is 1 for the same request, 0 when nothing is alike, and the order of the two does not matter. A high score from
little evidence is never called likely.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.intake.domain.anomalies.limits import DuplicateLimits, Trait
from services.intake.domain.anomalies.signatures import shingle_count, similarity
from shared.values import value

NEAR_AMOUNTS = 0.1
"""Sums that differ by a tenth are no longer alike: a receipt more, another rate of exchange, or another loss."""

_ALIKE = 0.5  # from here on a trait is given as a reason

REASONS: Mapping[Trait, str] = {
    Trait.CUSTOMER: "same_customer",
    Trait.KIND: "same_kind",
    Trait.TIME: "near_in_time",
    Trait.TEXT: "similar_text",
    Trait.EXTERNAL_ID: "same_external_id",
    Trait.POLICY_NUMBER: "same_policy_number",
    Trait.AMOUNT: "similar_amount",
}


@value
class Portrait:
    """What of a request is compared.

    Attributes:
        customer: the channel's own id of the customer. The same person has another on another channel.
        submitted_at: with a zone.
        external_id: the channel's own id of the request.
        signature: of the description, see ``signatures``; None when there is none.
    """

    channel: str
    customer: str
    kind: str
    product_line: str | None
    submitted_at: datetime
    external_id: str | None = None
    policy_number: str | None = None
    amount: float | None = None
    signature: bytes | None = field(default=None, repr=False)

    @property
    def sort(self) -> tuple[str, str, str]:
        """Those of one sort are compared whatever else they have."""
        return self.channel, self.customer, self.kind


class Decision(StrEnum):
    """Members:
    LIKELY: doubted, a person looks at it before anybody works on it twice.
    POSSIBLE: shown to whoever works on it.
    NO: nothing is said.
    """

    LIKELY = "likely"
    POSSIBLE = "possible"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Likeness:
    """Attributes:
    score: from 0 to 1.
    reasons: codes of what is alike, what gives most points first.
    """

    score: float
    reasons: tuple[str, ...]
    decision: Decision


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A request that the new one is like.

    Attributes:
        channel: that it came by.
    """

    request_id: str
    channel: str
    likeness: Likeness


def find_duplicates(
    new: Portrait, recent: Iterable[tuple[str, Portrait]], limits: DuplicateLimits
) -> tuple[Duplicate, ...]:
    """The recent requests that the new one is likely or possibly a duplicate of, the likest first."""
    found = [Duplicate(request_id, other.channel, compare(new, other, limits)) for request_id, other in recent]
    alike = [duplicate for duplicate in found if duplicate.likeness.decision is not Decision.NO]
    return tuple(sorted(alike, key=lambda duplicate: (-duplicate.likeness.score, duplicate.request_id)))


def compare(one: Portrait, other: Portrait, limits: DuplicateLimits) -> Likeness:
    """How alike two requests are."""
    alike = {trait: share for trait, share in _shares(one, other, limits).items() if share is not None}
    points = {trait: limits.weights[trait].same * share for trait, share in alike.items()}
    speaks_for = sum(points.values())
    against = sum(limits.weights[trait].differs * (1 - share) for trait, share in alike.items())
    score = speaks_for / (speaks_for + against)  # kind and time are always known, so there are points
    reasons = sorted((trait for trait, share in alike.items() if share >= _ALIKE), key=lambda trait: -points[trait])
    return Likeness(score, tuple(REASONS[trait] for trait in reasons), _decide(score, speaks_for, limits))


def _decide(score: float, evidence: float, limits: DuplicateLimits) -> Decision:
    if score >= limits.likely and evidence >= limits.least_evidence:
        return Decision.LIKELY
    return Decision.POSSIBLE if score >= limits.possible else Decision.NO


def _shares(one: Portrait, other: Portrait, limits: DuplicateLimits) -> dict[Trait, float | None]:
    """How alike they are in each trait; None where it cannot be said."""
    is_same_channel = one.channel == other.channel
    apart = abs((one.submitted_at - other.submitted_at).total_seconds())
    is_same_line = None in (one.product_line, other.product_line) or one.product_line == other.product_line
    return {
        Trait.CUSTOMER: float(one.customer == other.customer) if is_same_channel else None,
        Trait.KIND: float(one.kind == other.kind and is_same_line),
        Trait.TIME: max(0.0, 1 - apart / limits.within.total_seconds()),
        Trait.TEXT: _texts(one.signature, other.signature, limits.shortest_text),
        Trait.EXTERNAL_ID: _words(one.external_id, other.external_id) if is_same_channel else None,
        Trait.POLICY_NUMBER: _words(one.policy_number, other.policy_number),
        Trait.AMOUNT: _amounts(one.amount, other.amount),
    }


def _texts(one: bytes | None, other: bytes | None, shortest: int) -> float | None:
    if one is None or other is None or min(shingle_count(one), shingle_count(other)) < shortest:
        return None
    return similarity(one, other)


def plain(text: str) -> str:
    """A number in one way of writing: channels write it with and without dashes and in both cases."""
    folded = text.casefold()
    return "".join(filter(str.isalnum, folded)) or folded


def _words(one: str | None, other: str | None) -> float | None:
    if one is None or other is None:
        return None
    return float(plain(one) == plain(other))


def _amounts(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return None
    if one == other:
        return 1.0
    apart = abs(one - other) / max(abs(one), abs(other))
    return max(0.0, 1 - apart / NEAR_AMOUNTS)
