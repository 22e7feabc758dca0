from __future__ import annotations

import asyncio

import pytest

from shared.lifecycle import run_components


class Worker:
    """Runs until asked to stop and remembers that it finished its work."""

    def __init__(self) -> None:
        self.has_finished = False

    async def run(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self.has_finished = True


class Failing:
    async def run(self, stopping: asyncio.Event) -> None:
        del stopping
        raise RuntimeError("the disk is on fire")


async def test_all_components_finish_their_work_when_asked_to_stop() -> None:
    workers = [Worker(), Worker()]
    stopping = asyncio.Event()
    running = asyncio.create_task(run_components(workers, stopping))
    stopping.set()
    await running
    assert all(worker.has_finished for worker in workers)


async def test_a_component_that_fails_stops_the_others_and_its_error_is_told() -> None:
    worker = Worker()
    with pytest.raises(ExceptionGroup) as raised:
        await run_components([worker, Failing()], asyncio.Event())
    assert [str(error) for error in raised.value.exceptions] == ["the disk is on fire"]
    assert worker.has_finished


class Returning:
    async def run(self, stopping: asyncio.Event) -> None:
        """Ends although nobody asked it to."""


async def test_a_component_that_ends_by_itself_is_a_failure() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await run_components([Worker(), Returning()], asyncio.Event())
    assert [str(error) for error in raised.value.exceptions] == ["Returning ended by itself"]
