"""A whole system on real parts, in a folder of its own, with business time at 3,600 times real time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from punctual.local.system import LocalSystem
from tests.acceptance.journal import Channel

SPEED = 3600.0
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Hong Kong


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    home = tmp_path_factory.mktemp("system")
    system = LocalSystem(
        home,
        ports="auto",
        clock_speed=SPEED,
        clock_start=START,
        partitions=4,
        extra_env={
            "PUNCTUAL_SLA_TIMER_POLICIES_FILE": str(Path(__file__).with_name("policies.yml")),
            # A mail whose hand-over was cut off is looked at again after these, not after the hours of real life.
            "PUNCTUAL_NOTIFIER_IN_DOUBT_WAIT_SECONDS": "3",
            "PUNCTUAL_NOTIFIER_REPLY_TIMEOUT_SECONDS": "5",
        },
        report=lambda _: None,
    )
    system.start()
    try:
        yield system
    finally:
        system.stop()


@pytest.fixture
def channel(system: LocalSystem) -> Iterator[Channel]:
    channel = Channel(system.addresses["intake"], system.keys["app"])
    yield channel
    channel.close()
