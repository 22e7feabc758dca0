"""Processes come, go and wake up as zombies while clocks fire; every decision is still made once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

import httpx

from punctual.local.system import LocalSystem
from shared.contracts.topics import CLOCKS
from tests.acceptance.evidence import decisions_of, log_of
from tests.acceptance.journal import Accepted, Channel
from tests.acceptance.waiting import wait_until

EXPECTED = Counter({"started": 1, "warned": 1, "breached": 1, "escalated": 2})


def submit_many(system: LocalSystem, channel: Channel, count: int) -> list[Accepted]:
    return [channel.submit(system.business_now()) for _ in range(count)]


def assert_each_decided_once(system: LocalSystem, requests: list[Accepted]) -> None:
    horizon = max(r.submitted_at for r in requests) + timedelta(hours=12, minutes=30)
    wait_until(lambda: system.business_now() > horizon, 60, "the last rung of the response clocks")

    def is_complete() -> bool:
        decided = decisions_of(log_of(system, CLOCKS))
        return all(len(decided.get((UUID(r.request_id), "response"), [])) >= EXPECTED.total() for r in requests)

    wait_until(is_complete, 60, "all decisions")
    decided = decisions_of(log_of(system, CLOCKS))
    for request in requests:
        decisions = decided[UUID(request.request_id), "response"]
        assert Counter(d.kind for d in decisions) == EXPECTED, request.reference
        assert all(d.recorded_at >= d.occurred_at for d in decisions)


def owned(address: str) -> float:
    text = httpx.get(f"{address}/metrics", timeout=10).text
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("punctual_partitions_owned{") and 'topic="punctual.requests"' in line
    )


def test_a_second_sla_timer_joins_and_leaves_while_clocks_fire(system: LocalSystem, channel: Channel) -> None:
    requests = submit_many(system, channel, 40)
    second = system.add_process("sla_timer", "sla_timer-2")
    wait_until(
        lambda: owned(system.addresses["sla_timer-2"]) == 2, 40, "the second process to own half of the partitions"
    )
    assert owned(system.addresses["sla_timer"]) == 2
    requests += submit_many(system, channel, 40)
    second.kill()
    requests += submit_many(system, channel, 40)
    wait_until(lambda: owned(system.addresses["sla_timer"]) == 4, 40, "the first process to own everything again")
    assert_each_decided_once(system, requests)


def test_a_zombie_that_wakes_up_after_its_session_cannot_write(system: LocalSystem, channel: Channel) -> None:
    first = system.process("sla_timer")
    requests = submit_many(system, channel, 40)
    second = system.add_process("sla_timer", "sla_timer-3")
    wait_until(lambda: owned(system.addresses["sla_timer-3"]) == 2, 40, "the second process to own half")
    first.suspend()
    requests += submit_many(system, channel, 40)
    wait_until(lambda: owned(system.addresses["sla_timer-3"]) == 4, 60, "the zombie's partitions to be taken over")
    first.resume()
    requests += submit_many(system, channel, 40)
    wait_until(lambda: owned(system.addresses["sla_timer-3"]) == 2, 60, "the woken process to join again")
    assert_each_decided_once(system, requests)
    second.terminate()
    second.wait(30)
