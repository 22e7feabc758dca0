from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from services.sla_timer.domain.clocks import Timer
from services.sla_timer.domain.rules import RungKey, RungKind
from services.sla_timer.ticker.book import Horizon, TimerBook
from tests.unit.sla_timer.cases import HOUR, REQUEST_ID, at


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def timer(number: int, due_at: datetime, generation: int = 1) -> Timer:
    return Timer(UUID(int=number), REQUEST_ID, 1, RungKey(RungKind.BREACH, 1), generation, due_at)


def test_timers_come_out_earliest_first_and_never_early() -> None:
    book = TimerBook(Seconds())
    book.add(0, [timer(1, at(12)), timer(2, at(10)), timer(3, at(11))])
    assert book.next_at == at(10)
    assert book.take_due(at(9), 10) == {}
    taken = book.take_due(at(11), 10)
    assert [entry.timer.clock_id.int for entry in taken[0]] == [2, 3]
    assert len(book) == 1


def test_at_most_so_many_come_out_at_once_by_partition() -> None:
    book = TimerBook(Seconds())
    book.add(0, [timer(1, at(9)), timer(3, at(11))])
    book.add(1, [timer(2, at(10))])
    taken = book.take_due(at(12), 2)
    assert {partition: [e.timer.clock_id.int for e in entries] for partition, entries in taken.items()} == {
        0: [1],
        1: [2],
    }


def test_a_timer_that_is_in_memory_twice_comes_out_once() -> None:
    book = TimerBook(Seconds())
    book.add(0, [timer(1, at(9)), timer(1, at(9)), timer(1, at(9), generation=2)])
    assert [entry.timer.generation for entry in book.take_due(at(9), 10)[0]] == [1, 2]
    assert book.next_at is None


def test_a_timer_that_postgres_does_not_show_is_asked_for_again_for_a_while() -> None:
    seconds = Seconds()
    book = TimerBook(seconds)
    book.add(0, [timer(1, at(9))])
    missing = book.take_due(at(9), 10)[0]
    book.put_back_missing(missing, at(9.5))
    assert book.take_due(at(9), 10) == {}
    missing = book.take_due(at(9.5), 10)[0]
    seconds.now += 3
    book.put_back_missing(missing, at(10))
    assert len(book) == 0


def test_a_lost_partition_is_forgotten() -> None:
    book = TimerBook(Seconds())
    book.add(0, [timer(1, at(9))])
    book.add(1, [timer(2, at(10))])
    book.mark_read(0, at(12))
    book.drop(0)
    assert book.read_until(0) is None
    assert list(book.take_due(at(12), 10)) == [1]


def test_the_horizon_is_read_again_before_it_is_reached() -> None:
    horizon = Horizon(ahead=HOUR)
    assert horizon.needs_reading(None, at(9))
    assert not horizon.needs_reading(at(10), at(9))
    assert horizon.needs_reading(at(10), at(9.75))
    assert horizon.is_near(at(11), at(9))
    assert not horizon.is_near(at(11) + timedelta(seconds=1), at(9))
