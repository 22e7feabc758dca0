"""What a handler gets and what it may give back."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.envelope import Event, Tombstone
from shared.contracts.payload import Payload
from shared.kafka.records import Record
from shared.values import value


@value
class Received:
    """A decoded record that was not handled before."""

    event: Event[Payload] | Tombstone
    record: Record
    replay_of: str | None = None
    """The dead letter's id when this is a replay; its sequence is then older than the last one."""

    @property
    def topic(self) -> str:
        return self.record.topic

    @property
    def partition(self) -> int:
        return self.record.partition

    @property
    def offset(self) -> int:
        return self.record.offset


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that can never be handled.

    Attributes:
        reason: a stable code; becomes a metric label.
        detail: one sentence without personal data.
    """

    record: Record
    reason: str
    detail: str
