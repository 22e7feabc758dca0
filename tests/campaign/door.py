"""``python -m tests.campaign.door --faults 500``: faults around the commits of intake while channels send.

A real intake, Postgres and Kafka. Each fault is drawn: intake killed before, at or after a COMMIT, the COMMIT or its
answer lost, sessions ended, Postgres killed. After every stretch the channels' journal is compared with the tables and
the log, and calls are repeated for their first answers. A stretch that differs ends the campaign.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random, SystemRandom

from punctual.local.settings import CHECKOUT
from shared.clock import monotonic
from tests.acceptance.door_journal import Journal, discrepancies
from tests.acceptance.door_load import Caller, Load, assert_same
from tests.acceptance.door_rig import Door, door
from tests.campaign.kills_rig import say

STRETCH = 25
_REPEATED = 300


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.door", description=__doc__)
    parser.add_argument("--faults", type=int, default=500, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, help="repeats the choices, not the instants")
    parser.add_argument("--minutes", type=float, help="begin no further stretch after so long")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else SystemRandom().randrange(2**31)
    until = None if options.minutes is None else monotonic() + 60 * options.minutes
    os.environ.setdefault("PUNCTUAL_PARTS", str(CHECKOUT / ".punctual" / "parts"))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    say(f"seed {seed}")
    rng = Random(seed)
    done: Counter[str] = Counter()
    found: list[str] = []
    with tempfile.TemporaryDirectory(prefix="punctual-door-") as folder:
        Path(folder).chmod(0o755)
        with door(Path(folder) / "home") as at_door:
            journal = Journal()
            while done.total() < options.faults and (until is None or monotonic() < until):
                drawn = rng.choices(list(at_door.faults), k=min(STRETCH, options.faults - done.total()))
                found = suffer(at_door, journal, drawn, rng)
                done.update(drawn)
                say(
                    f"{done.total()} faults, {len(journal.calls)} calls and {len(journal.lines)} lines taken, "
                    f"{journal.replayed} answered again, statuses {dict(journal.statuses)}"
                )
                if found:
                    say("\n".join(found[:20]))
                    break
    for name, number in done.most_common():
        say(f"  {number} x {name}")
    say(f"{done.total()} faults, {'differs' if found else 'nothing lost, nothing doubled'}")
    return 1 if found else 0


def suffer(at_door: Door, journal: Journal, faults: Sequence[str], rng: Random) -> list[str]:
    """A stretch of faults under load; then what differs."""
    load = Load(at_door.system, journal, rng.randrange(2**31))
    load.start()
    for name in faults:
        at_door.faults[name](rng)
        load.make_headway()
    load.finish()
    caller = Caller(at_door.system.addresses["intake"], at_door.system.keys["app"], journal)
    try:
        for told in rng.sample(journal.calls, min(_REPEATED, len(journal.calls))):
            assert_same(caller, told)
    finally:
        caller.close()
    return discrepancies(at_door.system, journal)


if __name__ == "__main__":
    sys.exit(main())
