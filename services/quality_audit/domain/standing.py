"""How a request stands while it is worked on: what its closing, whenever it comes, will make a unit of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.contracts.envelope import Event
from shared.contracts.payload import AttributeValue, Payload, RequestKind
from shared.contracts.requests import RequestChanged, RequestReopened

MOVING: tuple[type[Payload], ...] = (RequestChanged, RequestReopened)
"""The events that ``moved`` follows."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Attributes:
    cycle: 1, and one more with each reopening.
    began_at: when it was reopened last, as clocks count it; None in the first cycle.
    attributes_told: for each attribute that was changed, the sequence of the event that told its value.
    kind_told: the same for the kind; 0 as long as it is that of the submission.
    """

    kind: RequestKind
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    cycle: int = 1
    began_at: datetime | None = None
    attributes_told: Mapping[str, int] = field(default_factory=dict)
    kind_told: int = 0


def moved(standing: Standing, event: Event[Payload]) -> Standing:
    """How the request stands once ``event`` is known too.

    A dead letter that is replayed comes after younger events: it changes nothing that one of these has told since.
    """
    match event.data:
        case RequestReopened():
            reopened_at = counted_at(event)
            began_at = reopened_at if standing.began_at is None else max(standing.began_at, reopened_at)
            return replace(standing, cycle=standing.cycle + 1, began_at=began_at)
        case RequestChanged() as change:
            return _changed(standing, change, event.sequence)
        case _:
            return standing


def counted_at(event: Event[Payload]) -> datetime:
    """When clocks count it as happened: what is said to happen later has happened when it was said."""
    return min(event.occurred_at, event.recorded_at)


def _changed(standing: Standing, change: RequestChanged, sequence: int) -> Standing:
    told = standing.attributes_told
    news = {name: value for name, value in change.attributes.items() if told.get(name, 0) < sequence}
    if change.kind is not None and standing.kind_told < sequence:
        standing = replace(standing, kind=change.kind, kind_told=sequence)
    return replace(
        standing,
        attributes={**standing.attributes, **news},
        attributes_told={**told, **dict.fromkeys(news, sequence)},
    )
