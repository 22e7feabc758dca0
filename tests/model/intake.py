"""What intake says of requests, at random: in stages that follow each other, with pauses, late news and endings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import Happening, RequestEvent
from tests.model.drawing import HOUR, REASONS, SHAPES, STAGES
from tests.model.reference_time import ORIGIN

MARKETS = ("HK", "TW")


def hour_of(at: datetime) -> datetime:
    """The last whole hour; everything occurs at one."""
    return at - (at - ORIGIN) % HOUR


@dataclass(frozen=True)
class Message:
    """One record of the topic.

    Attributes:
        facts: only of a submission.
        is_noise: it means nothing to clocks.
        is_dead: the consumer rejects it the first time it comes.
        is_replay: it comes back from the dead letters.
    """

    request_id: UUID
    entry: RequestEvent
    facts: Facts | None = None
    is_noise: bool = False
    is_dead: bool = False
    is_replay: bool = False


@dataclass
class Told:
    """A request as intake knows it.

    Attributes:
        said: everything that was said about it and means something to clocks, in order.
        number: of what was said last, whatever it means.
        waiting: what has not been published yet.
    """

    request_id: UUID
    partition: int
    facts: Facts
    stage: str
    said: list[RequestEvent] = field(default_factory=list)
    number: int = 0
    waiting: list[Message] = field(default_factory=list)
    is_over: bool = False


def submit(random: Random, number: int, partitions: int, now: datetime) -> Told:
    request_id = UUID(f"01977c00-0000-7000-8000-{number:012x}")
    priority = random.choice(["normal", "normal", "urgent"])
    facts = Facts("claim", random.choice(MARKETS), "app", priority, "standard")
    told = Told(request_id, random.randrange(partitions), facts, random.choice(STAGES))
    occurred_at = hour_of(now) - random.choice([0, 0, 1, 7]) * HOUR
    _say(told, Happening.SUBMITTED, occurred_at, now, told.stage, None, is_dead=False)
    return told


def go_on(random: Random, told: Told, now: datetime) -> None:
    """Say one more thing, and at times some that mean nothing to clocks."""
    while random.random() < 0.2:
        told.number += 1
        noise = RequestEvent(told.number, Happening.SIGNALLED, now, now, "noise")
        told.waiting.append(Message(told.request_id, noise, is_noise=True, is_dead=random.random() < 0.06))
    happening, value, details = _draw(random, told)
    late = random.choice([0, 0, 0, 0, 0, 1, 3, 10, 30]) * HOUR
    _say(told, happening, hour_of(now) - late, now, value, details, is_dead=random.random() < 0.06)


def _say(
    told: Told,
    happening: Happening,
    occurred_at: datetime,
    now: datetime,
    value: str | None,
    details: Mapping[str, Any] | None,
    *,
    is_dead: bool,
) -> None:
    told.number += 1
    entry = RequestEvent(told.number, happening, min(occurred_at, now), now, value, details)
    told.said.append(entry)
    is_submission = happening is Happening.SUBMITTED
    told.waiting.append(Message(told.request_id, entry, told.facts if is_submission else None, is_dead=is_dead))


def _draw(random: Random, told: Told) -> tuple[Happening, str | None, Mapping[str, Any] | None]:
    if told.is_over and random.random() < 0.5:
        told.is_over = False
        return Happening.REOPENED, "appeal", None
    happening = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    value: str | None = None
    details: Mapping[str, Any] | None = None
    match happening:
        case Happening.PAUSED | Happening.RESUMED:
            value = random.choice(REASONS)
        case Happening.STAGE_ENTERED:
            before, told.stage = told.stage, random.choice(STAGES)
            value, details = told.stage, {"from": before}
        case Happening.STAGE_LEFT:
            value = told.stage
        case Happening.SIGNALLED:
            value = random.choice(["complete", "ping", "pong", "beat", "beat"])
        case Happening.CHANGED:
            value = "asked"
            details = random.choice([{"priority": "urgent"}, {"priority": "normal"}, {"customer_tier": "vip"}])
        case Happening.EXTENDED:
            value, details = random.choice(list(SHAPES)), {"seconds": random.choice([1, 2, 4, 8, 24]) * 3600}
        case Happening.CLOSED | Happening.CANCELLED | Happening.MERGED:
            told.is_over = True
            value = random.choice(["paid", "withdrawn", "declined"]) if happening is Happening.CLOSED else None
        case Happening.ASSIGNED:
            value = random.choice(["motor", "home"])
        case _:
            pass
    return happening, value, details


_WEIGHTS = {
    Happening.PAUSED: 14,
    Happening.RESUMED: 14,
    Happening.RESPONDED: 9,
    Happening.MESSAGE_RECEIVED: 9,
    Happening.CUSTOMER_INFORMED: 4,
    Happening.ASSIGNED: 5,
    Happening.STAGE_ENTERED: 9,
    Happening.STAGE_LEFT: 4,
    Happening.SIGNALLED: 9,
    Happening.CHANGED: 9,
    Happening.EXTENDED: 7,
    Happening.CLOSED: 6,
    Happening.REOPENED: 2,
    Happening.CANCELLED: 1,
    Happening.MERGED: 1,
}
