"""Changes of rules or modes on their way to the clocks that run already."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.postgres import Connection, load_statements

STATEMENTS = load_statements(__name__)


@dataclass(frozen=True, slots=True)
class Rollout:
    """Attributes:
    policy_version: the rules to apply; None when a mode changed.
    ordered_at: business instant from which the change holds.
    """

    rollout_id: int
    policy_version: int | None
    ordered_at: datetime
    author: str

    @property
    def kind(self) -> str:
        return "mode" if self.policy_version is None else "policy"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rollout has come in one partition.

    Attributes:
        reached: the last request looked at; None at the beginning.
    """

    rollout: Rollout
    partition: int
    reached: UUID | None


async def order_policy_rollout(connection: Connection, version: int, ordered_at: datetime, author: str) -> int:
    """Have a version of the rules applied to the clocks that run; gives the rollout's number."""
    rollout_id: int = await STATEMENTS["order_policy_rollout"].fetchval(
        connection, version=version, ordered_at=ordered_at, author=author
    )
    return rollout_id


async def order_mode_rollout(connection: Connection, activation_id: UUID, ordered_at: datetime, author: str) -> int:
    """Have running clocks told that a mode was entered or left."""
    rollout_id: int = await STATEMENTS["order_mode_rollout"].fetchval(
        connection, activation_id=activation_id, ordered_at=ordered_at, author=author
    )
    return rollout_id


async def open_rollouts(connection: Connection, partitions: Collection[int]) -> list[Progress]:
    """What is still to be done in these partitions, in the order it was ordered."""
    rows = await STATEMENTS["open_rollouts"].fetch(connection, partitions=list(partitions))
    return [
        Progress(
            Rollout(row["rollout_id"], row["policy_version"], row["ordered_at"], row["author"]),
            row["partition"],
            row["reached"],
        )
        for row in rows
    ]


async def running_requests(connection: Connection, progress: Progress, count: int) -> list[UUID]:
    """The next requests of a partition that are not over."""
    rows = await STATEMENTS["running_requests"].fetch(
        connection, partition=progress.partition, reached=progress.reached, count=count
    )
    return [row["request_id"] for row in rows]


async def record_progress(
    connection: Connection, progress: Progress, reached: UUID | None, requests: int, *, is_done: bool
) -> None:
    """Remember how far a partition has come, in the transaction that told its requests."""
    await STATEMENTS["record_progress"].execute(
        connection,
        rollout_id=progress.rollout.rollout_id,
        partition=progress.partition,
        reached=reached,
        requests=requests,
        is_done=is_done,
    )


async def close_rollouts(connection: Connection, topic: str, now: datetime) -> None:
    """Mark the rollouts that every partition has done."""
    await STATEMENTS["close_rollouts"].execute(connection, topic=topic, now=now)


@dataclass(frozen=True, slots=True)
class ReportedRollout:
    """Attributes:
    requests: how many were told so far.
    """

    rollout_id: int
    kind: str
    policy_version: int | None
    ordered_at: datetime
    author: str
    done_at: datetime | None
    requests: int


async def list_rollouts(connection: Connection, count: int) -> list[ReportedRollout]:
    """The latest first."""
    return [ReportedRollout(**dict(row)) for row in await STATEMENTS["list_rollouts"].fetch(connection, count=count)]
