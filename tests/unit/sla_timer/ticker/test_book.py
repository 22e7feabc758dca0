from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.sla_timer.domain.clocks import Timer
from services.sla_timer.domain.rules import RungKey, RungKind
from services.sla_timer.ticker.book import Entry, Horizon, TimerBook
from tests.unit.sla_timer.cases import HOUR, MINUTE, at


def timer(number: int, due_at: datetime, generation: int = 1) -> Timer:
    return Timer(UUID(int=number), "resolution", 1, RungKey(RungKind.BREACH, 1), generation, due_at)


def numbers(entries: Sequence[Entry]) -> list[int]:
    return [entry.timer.request_id.int for entry in entries]


def test_timers_come_out_earliest_first_and_never_early() -> None:
    book = TimerBook()
    book.add(0, [timer(1, at(12)), timer(2, at(10)), timer(3, at(11))])
    assert book.next_at == at(10)
    assert book.take_due(at(10) - MINUTE, 10) == []
    assert numbers(book.take_due(at(11), 10)) == [2, 3]
    assert len(book) == 1


def test_timers_of_one_instant_come_out_in_the_order_they_were_set() -> None:
    book = TimerBook()
    book.add(0, [timer(2, at(9)), timer(1, at(9))])
    book.add(1, [timer(3, at(9))])
    assert numbers(book.take_due(at(9), 10)) == [2, 1, 3]


def test_at_most_so_many_come_out_at_once_whatever_their_partition() -> None:
    book = TimerBook()
    book.add(0, [timer(1, at(9)), timer(3, at(11))])
    book.add(1, [timer(2, at(10))])
    assert [(entry.partition, entry.timer.request_id.int) for entry in book.take_due(at(12), 2)] == [(0, 1), (1, 2)]
    assert book.next_at == at(11)


def test_a_timer_that_is_in_memory_twice_comes_out_once() -> None:
    book = TimerBook()
    book.add(0, [timer(1, at(9)), timer(1, at(9)), timer(1, at(9), generation=2)])
    assert [entry.timer.generation for entry in book.take_due(at(9), 10)] == [1, 2]
    assert book.next_at is None


def test_what_could_not_be_fired_is_looked_at_again_as_it_stood() -> None:
    book = TimerBook()
    book.add(4, [timer(1, at(9)), timer(2, at(10))])
    book.put_back(book.take_due(at(10), 10))
    assert book.next_at == at(9)
    assert [(entry.partition, entry.wake_at) for entry in book.take_due(at(10), 10)] == [(4, at(9)), (4, at(10))]


def test_what_has_to_wait_is_not_looked_at_before_then() -> None:
    book = TimerBook()
    book.add(0, [timer(1, at(9)), timer(2, at(9.25))])
    book.put_back(book.take_due(at(9), 10), at(9.5))
    assert numbers(book.take_due(at(9.25), 10)) == [2]
    (entry,) = book.take_due(at(9.5), 10)
    assert (entry.wake_at, entry.timer.due_at) == (at(9.5), at(9))


def test_a_lost_partition_is_forgotten() -> None:
    book = TimerBook()
    book.add(0, [timer(1, at(9))])
    book.add(1, [timer(2, at(10))])
    book.mark_read(0, at(12))
    book.drop(0)
    assert book.read_until(0) is None
    assert book.next_at == at(10)
    assert numbers(book.take_due(at(12), 10)) == [2]


def test_the_horizon_is_read_again_before_it_is_reached() -> None:
    horizon = Horizon(ahead=HOUR)
    assert horizon.needs_reading(None, at(9))
    assert not horizon.needs_reading(at(10), at(9))
    assert horizon.needs_reading(at(10), at(9.75))
    assert horizon.is_near(at(11), at(9))
    assert not horizon.is_near(at(11) + timedelta(seconds=1), at(9))
