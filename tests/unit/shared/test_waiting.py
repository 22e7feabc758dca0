from __future__ import annotations

import asyncio

import pytest

from shared.waiting import backoff_seconds, doubled, within


async def test_what_comes_in_time_is_given_and_so_is_its_error() -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0)
        return 12 // number

    assert await within(5, work(3)) == 4
    with pytest.raises(ZeroDivisionError):
        await within(5, work(0))


async def test_what_is_late_is_cancelled_and_ends_by_itself() -> None:
    has_ended, may_end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await may_end.wait()
            has_ended.set()

    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            await within(0.01, work())
        assert not has_ended.is_set()
        may_end.set()
        await has_ended.wait()


async def test_whoever_waits_and_is_cancelled_gives_it_up() -> None:
    has_begun, was_cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        has_begun.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            was_cancelled.set()
            raise RuntimeError("nobody reads this") from None

    waiting = asyncio.create_task(within(3600, work()))
    async with asyncio.timeout(5):
        await has_begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await was_cancelled.wait()


@pytest.mark.parametrize("failures", [1, 10, 1_023, 1_024, 10**6])
def test_the_pause_after_failures_is_bounded_however_many_there_were(failures: int) -> None:
    longest = min(5.0, 0.1 * 2 ** min(failures, 20))
    assert longest / 2 <= backoff_seconds(failures) <= longest


def test_what_doubles_begins_with_the_first_and_stays_at_the_most() -> None:
    assert [doubled(0.5, times, 3.0) for times in (0, 1, 2, 3, 10**6)] == [0.5, 1.0, 2.0, 3.0, 3.0]
