"""A lane keeps partitions in order and handles nothing under another epoch than it was read under."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import DatabaseUnavailable, Fenced
from shared.inbox import Ownership
from shared.inbox.batch import BatchHandling
from shared.inbox.lane import Lane, Polled
from shared.kafka.records import Record, TopicPartition

MOST = 10
PARTITIONS = [TopicPartition("topic", number) for number in range(3)]


class Owned:
    def __init__(self) -> None:
        self.epochs = dict.fromkeys(PARTITIONS, 1)

    def drop(self, where: TopicPartition) -> None:
        self.epochs.pop(where, None)


class Handling:
    """Writes down what it is given; raises what it is told to first."""

    def __init__(self) -> None:
        self.handled: dict[TopicPartition, list[int]] = {}
        self.sizes: list[int] = []
        self.errors: list[Exception] = []

    async def transact(
        self, batches: Mapping[TopicPartition, Sequence[Record]], epochs: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        assert batches.keys() == epochs.keys()
        if self.errors:
            raise self.errors.pop(0)
        self.sizes.append(sum(len(records) for records in batches.values()))
        for where, records in batches.items():
            self.handled.setdefault(where, []).extend(record.offset for record in records)
        return {where: records[-1].offset + 1 for where, records in batches.items()}


class Scene:
    def __init__(self) -> None:
        self.owned, self.handling = Owned(), Handling()
        self.positions: dict[TopicPartition, int] = {}
        self.lane = Lane(
            "example",
            cast(BatchHandling, self.handling),
            cast(Ownership, self.owned),
            most_records=MOST,
            progressed=asyncio.Event(),
            reached=self.positions.__setitem__,
            lost=self.owned.drop,
        )

    def put(self, where: TopicPartition, offsets: range, epoch: int = 1) -> None:
        self.lane.put(Polled(where, epoch, [Record(*where, offset, None, None, ()) for offset in offsets]))

    async def drain(self) -> None:
        await self.lane.drain(asyncio.Event())


@given(st.lists(st.tuples(st.sampled_from(PARTITIONS), st.integers(1, 25)), max_size=12))
def test_everything_is_handled_in_order_and_in_transactions_of_the_given_size(
    polls: list[tuple[TopicPartition, int]],
) -> None:
    async def play() -> None:
        scene = Scene()
        ends = dict.fromkeys(PARTITIONS, 0)
        for where, count in polls:
            scene.put(where, range(ends[where], ends[where] + count))
            ends[where] += count
        await scene.drain()
        assert scene.handling.handled == {where: list(range(end)) for where, end in ends.items() if end}
        assert scene.positions == {where: end for where, end in ends.items() if end}
        assert all(size <= MOST for size in scene.handling.sizes)
        assert scene.lane.waiting == 0

    asyncio.run(play())


async def test_what_was_read_under_an_older_epoch_is_not_handled() -> None:
    scene = Scene()
    scene.put(PARTITIONS[0], range(3))
    scene.put(PARTITIONS[1], range(3))
    scene.owned.epochs[PARTITIONS[0]] = 2
    scene.put(PARTITIONS[0], range(5), epoch=2)
    await scene.drain()
    assert scene.handling.handled == {PARTITIONS[0]: [0, 1, 2, 3, 4], PARTITIONS[1]: [0, 1, 2]}


async def test_a_lost_partition_is_left_out_with_all_that_waits_of_it_and_the_others_go_on() -> None:
    scene = Scene()
    scene.put(PARTITIONS[0], range(3))
    scene.put(PARTITIONS[1], range(30))
    scene.put(PARTITIONS[0], range(3, 6))
    scene.handling.errors = [Fenced(*PARTITIONS[0])]
    await scene.drain()
    assert scene.handling.handled == {PARTITIONS[1]: list(range(30))}
    assert PARTITIONS[0] not in scene.owned.epochs


async def test_a_failed_transaction_is_repeated_before_anything_behind_it() -> None:
    scene = Scene()
    scene.put(PARTITIONS[0], range(25))
    scene.handling.errors = [DatabaseUnavailable("as if"), DatabaseUnavailable("as if")]
    await scene.drain()
    assert scene.handling.handled == {PARTITIONS[0]: list(range(25))}
    assert scene.lane.trouble is None


async def test_an_outage_of_hours_does_not_end_the_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def pause(seconds: float, *_: asyncio.Event) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("shared.inbox.lane.first_of", pause)
    scene = Scene()
    scene.put(PARTITIONS[0], range(3))
    scene.handling.errors = [DatabaseUnavailable("away")] * 2_000
    await scene.drain()
    assert scene.handling.handled == {PARTITIONS[0]: [0, 1, 2]}
    assert (len(pauses), max(pauses) <= 5.0) == (2_000, True)
