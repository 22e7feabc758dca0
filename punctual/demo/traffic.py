"""The stream of requests with all that will happen to them, reproducible from a seed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from punctual.demo import catalogue
from punctual.demo.handling import Move, plan_moves
from punctual.demo.names import customer
from punctual.demo.office_hours import next_arrival
from shared.contracts.payload import RequestKind

_CUSTOMERS = 2_000  # so that some come back


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request from submission to closing.

    Attributes:
        number: 1, 2, 3, ... in the order of arrival.
        channel: which system submits it.
        submission: the body, without its instant.
        moves: what the house does, in order.
    """

    number: int
    at: datetime
    channel: str
    submission: dict[str, Any]
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Attributes:
    per_second: requests per business second, on average of a week.
    """

    seed: int
    per_second: float

    def arrival(self, number: int, after: datetime) -> datetime:
        """When request ``number`` comes, if the one before came at ``after``."""
        return next_arrival(Random(f"arrival {self.seed} {number}"), after, self.per_second)  # noqa: S311

    def request(self, number: int, at: datetime) -> PlannedRequest:
        """All about request ``number``; the same for the same seed, number and instant."""
        return plan_request(self.seed, number, at)


def plan_request(seed: int, number: int, at: datetime) -> PlannedRequest:
    """Who asks for what through which channel, and what the house will do."""
    random = Random(f"request {seed} {number}")  # noqa: S311  reproducible, not secret
    who = customer(seed, random.randrange(_CUSTOMERS))
    kind: RequestKind = catalogue.draw(random, catalogue.KINDS)
    line: str = catalogue.draw(random, catalogue.LINES)
    channel: str = catalogue.draw(random, catalogue.CHANNELS)
    submission: dict[str, Any] = {
        "kind": kind.value,
        "product_line": line,
        "priority": catalogue.draw(random, catalogue.PRIORITIES).value,
        "market": who.market.value,
        "external_id": f"{channel.upper()}-{seed}-{number}",
        "description": catalogue.description(kind, line, who.language),
        "attributes": catalogue.attributes(random, kind, line, who.market),
        "customer": {
            "id": who.id,
            "name": who.name,
            "email": who.email,
            "phone": who.phone,
            "language": who.language.value,
            "tier": who.tier,
        },
    }
    return PlannedRequest(number, at, channel, submission, plan_moves(random, kind, line, submission["attributes"], at))
