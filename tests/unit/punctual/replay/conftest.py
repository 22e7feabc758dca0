"""The world that replays are tested in."""

from __future__ import annotations

import pytest

from tests.unit.punctual.replay.replay_world import FakeIntake


@pytest.fixture
def intake() -> FakeIntake:
    return FakeIntake()
