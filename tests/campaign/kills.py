"""``python -m tests.campaign.kills --kills 500``: kills sla_timer at random instants while deadlines pass.

A real system, random lives written into Kafka, SIGKILL again and again; then everything that was decided is compared
with what the oracle of `kills_oracle` reckons from the events alone. A round is a kill with the requests submitted from
then on. It fails when one of them differs; what concerns all requests fails the last round.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom

from punctual.local.settings import CHECKOUT
from shared.clock import monotonic
from tests.campaign.kills_lives import Life
from tests.campaign.kills_rig import running_system, say
from tests.campaign.kills_stretch import Stretch, summary

STRETCH = 50
"""Kills after which everything is compared; differences show up early, and the lives in hand stay few."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="rounds (%(default)s)")
    parser.add_argument("--seed", type=int, help="repeats the lives and the choices, not the instants")
    parser.add_argument("--minutes", type=float, help="begin no further round after so long")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else SystemRandom().randrange(2**31)
    until = None if options.minutes is None else monotonic() + 60 * options.minutes
    os.environ.setdefault("PUNCTUAL_PARTS", str(CHECKOUT / ".punctual" / "parts"))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it is told that Kafka is away, which is no news
    say(f"seed {seed}")
    failed: set[int] = set()
    fired: list[tuple[float, str]] = []
    done = 0
    lives: list[Life] = []
    with tempfile.TemporaryDirectory(prefix="punctual-kills-") as name:
        Path(name).chmod(0o755)
        with running_system(Path(name) / "home", say) as system:
            while done < options.kills and (until is None or monotonic() < until):
                stretch = Stretch(system, seed + done, say, has_zombies=True)
                done += stretch.run(min(STRETCH, options.kills - done), done + 1, until)
                outcome = stretch.judge(stretch.settle(), lives)
                lives += stretch.lives
                failed |= outcome.failed
                fired += outcome.seconds_to_fire
                outcome.seconds_to_fire = fired
                say(f"{done} kills, {len(failed)} rounds failed\n{summary(outcome)}")
    say(f"{done - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
