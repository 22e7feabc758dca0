"""From where on something is called an anomaly: what ``validation.yml`` says of duplicates, values and streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Trait(StrEnum):
    """In what two requests may be alike."""

    CUSTOMER = "customer"
    KIND = "kind"
    TIME = "time"
    TEXT = "text"
    EXTERNAL_ID = "external_id"
    POLICY_NUMBER = "policy_number"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Weight:
    """Points for and against a duplicate, both above 0.

    Attributes:
        same: when two requests are alike in the trait.
        differs: when they are not.
    """

    same: float
    differs: float


@dataclass(frozen=True, slots=True)
class DuplicateLimits:
    """Attributes:
    within: the distance of two submissions at which nearness in time has faded to nothing.
    shortest_text: how many different shingles a text must have to be compared; shorter ones are alike by chance.
    likely, possible: the least scores, 0 < possible <= likely <= 1.
    least_evidence: the points for a duplicate without which none is likely, however little speaks against it.
    """

    within: timedelta
    shortest_text: int
    likely: float
    possible: float
    least_evidence: float
    weights: Mapping[Trait, Weight]


@dataclass(frozen=True, slots=True)
class PlausibilityLimits:
    """Attributes:
    group_by: the facts whose values make a group; each group has a past of its own.
    attributes: the numbers that are watched.
    least_observations: the past below which nothing is called implausible.
    deviations: robust standard deviations of the logarithm beyond which a value is implausible.
    least_spread: the smallest such deviation that is believed; 0.1 is a tenth of the value.
    """

    group_by: tuple[str, ...]
    attributes: frozenset[str]
    least_observations: int
    deviations: float
    least_spread: float


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Attributes:
    weeks: how much of the past is remembered.
    least_weeks: in how many of them an hour must have been watched before it is judged.
    surge_starts, surge_ends: deviations above the usual at which an alarm starts and below which it may end.
    surge_count: the requests an hour must have to be a surge.
    drop_starts, drop_ends: deviations below the usual, positive.
    drop_usual: the requests an hour usually has, without which it can be no drop.
    silence_usual: the requests that would usually have come while none came.
    refusal_hours: over how long the share of refusals is taken.
    refusal_count: the refusals there must be in that time.
    refusal_margin: how far the share lies above the usual at least, beyond doubt by chance.
    calm_hours: after how many hours in a row without cause an alarm ends.
    holidays: dates on which less traffic is no surprise.
    """

    weeks: int
    least_weeks: int
    surge_starts: float
    surge_ends: float
    surge_count: int
    drop_starts: float
    drop_ends: float
    drop_usual: float
    silence_usual: float
    refusal_hours: int
    refusal_count: int
    refusal_margin: float
    calm_hours: int
    holidays: frozenset[date] = frozenset()
