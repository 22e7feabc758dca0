from __future__ import annotations

from services.sla_timer.ticker.backlog import Backlog


class Broker:
    def __init__(self) -> None:
        self.end: int | None = 10
        self.seconds = 0.0

    def lag(self, _: int, position: int) -> int | None:
        return None if self.end is None else self.end - position

    def monotonic(self) -> float:
        return self.seconds


def begun(broker: Broker) -> Backlog:
    backlog = Backlog(broker.lag, broker.monotonic)
    backlog.begin(0)
    return backlog


def test_timers_wait_until_the_events_that_were_waiting_are_read() -> None:
    broker = Broker()
    backlog = begun(broker)
    assert not backlog.is_read(0, 4)
    broker.end = 50  # what comes later is not waited for
    assert not backlog.is_read(0, 9)
    assert backlog.is_read(0, 10)
    assert backlog.is_read(0, 0)


def test_nothing_waiting_is_nothing_to_wait_for() -> None:
    backlog = begun(Broker())
    assert backlog.is_read(0, 10)


def test_a_broker_that_does_not_tell_the_end_holds_nothing_up_for_long() -> None:
    broker = Broker()
    broker.end = None
    backlog = begun(broker)
    assert not backlog.is_read(0, 4)
    broker.seconds = 5.0
    assert backlog.is_read(0, 4)


def test_a_consumer_that_is_stuck_holds_nothing_up_for_ever() -> None:
    broker = Broker()
    backlog = begun(broker)
    assert not backlog.is_read(0, 4)
    broker.seconds = 29.0
    assert not backlog.is_read(0, 5)
    broker.seconds = 58.0
    assert not backlog.is_read(0, 5)
    broker.seconds = 59.0
    assert backlog.is_read(0, 5)


def test_a_partition_that_was_given_up_is_not_waited_for() -> None:
    backlog = begun(Broker())
    backlog.forget(0)
    assert backlog.is_read(0, 0)
