"""The relay rests after faults, longer each time, and one mail tries whether it is back."""

from __future__ import annotations

from datetime import timedelta

from services.notifier.delivery.gate import RelayGate


class Watch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_rests_grow_while_faults_go_on() -> None:
    watch = Watch()
    gate = RelayGate([timedelta(seconds=1), timedelta(seconds=5)], watch)
    rests = []
    for _ in range(3):
        assert gate.fault()
        rests.append(gate.seconds_closed())
        watch.seconds += rests[-1]
        assert gate.seconds_closed() == 0
        assert not gate.is_trusted
    assert rests == [1, 5, 5]


def test_connections_that_fail_together_are_one_fault() -> None:
    gate = RelayGate([timedelta(seconds=1), timedelta(seconds=5)], Watch())
    assert gate.fault()
    assert not gate.fault()
    assert gate.seconds_closed() == 1


def test_a_success_opens_it_for_all() -> None:
    gate = RelayGate([timedelta(seconds=1)], Watch())
    gate.fault()
    gate.succeed()
    assert gate.is_trusted
    assert gate.seconds_closed() == 0
