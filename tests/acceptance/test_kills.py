"""sla_timer is killed at random instants while deadlines pass, and its clock jumps: decided is what an oracle reckons.

The long campaign is `python -m tests.campaign.kills`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from punctual.local.system import LocalSystem
from tests.acceptance.evidence import rows_of
from tests.campaign.kills_lives import Life
from tests.campaign.kills_rig import SERVICE, restart_with_clock, running_system, say
from tests.campaign.kills_stretch import Outcome, Stretch, summary

KILLS = 30
SEED = 20260302
JUMP = timedelta(hours=1)
_AHEAD = "SELECT count(*) AS n FROM sla_timer.decision WHERE recorded_at > $1"


@pytest.fixture(scope="module")
def killed_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    with running_system(tmp_path_factory.mktemp("kills") / "home", lambda _: None) as system:
        yield system


@pytest.fixture(scope="module")
def earlier() -> list[Life]:
    """What was told before; it stays in the system, so every comparison looks at it again."""
    return []


def assert_as_reckoned(outcome: Outcome) -> None:
    first = [f"{d.request_id}: {d.what}" for d in outcome.comparison.differences[:5]]
    assert not first, "\n".join([f"{len(outcome.comparison.differences)} differences", *first])


@pytest.mark.timeout(400)
def test_thirty_kills_at_random_instants_lose_and_double_no_decision(
    killed_system: LocalSystem, earlier: list[Life]
) -> None:
    stretch = Stretch(killed_system, SEED, say)
    assert stretch.run(KILLS) == KILLS
    outcome = stretch.judge(stretch.settle())
    earlier += stretch.lives
    say(summary(outcome))
    assert_as_reckoned(outcome)
    assert outcome.comparison.checked > 1000


@pytest.mark.timeout(300)
def test_a_wall_clock_that_jumps_forwards_and_back_loses_and_doubles_no_decision(
    killed_system: LocalSystem, earlier: list[Life]
) -> None:
    """The channels' clock is right all the time; that of the process is an hour ahead for a while."""
    process = killed_system.process(SERVICE)
    stretch = Stretch(killed_system, SEED + 1, say)
    stretch.begin()
    stretch.wait(4)
    restart_with_clock(process, JUMP)
    process.wait_until_ready(60)
    stretch.wait(3)
    restart_with_clock(process, -JUMP)
    ahead = rows_of(killed_system, _AHEAD, stretch.clock.now() + JUMP / 2)[0]["n"]
    process.wait_until_ready(60)
    stretch.wait(4)
    stretch.end()
    outcome = stretch.judge(stretch.settle(), earlier, is_clock_steady=False)
    say(summary(outcome))
    assert ahead > 100, "nothing was fired by the clock that was ahead"
    assert_as_reckoned(outcome)
