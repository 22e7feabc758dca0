"""``python -m tests.campaign.openapi --cases 100000``: intake called by its OpenAPI document, every answer checked.

A real intake on real servers. What is wrong is told once, with a call that shows it. A seed makes the same calls again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom

from punctual.local.settings import CHECKOUT
from punctual.local.system import LocalSystem
from shared.clock import monotonic
from tests.openapi.campaign import call_intake
from tests.openapi.running_intake import running_intake


def main(arguments: Sequence[str] | None = None) -> int:
    """Gives 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.openapi", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="how many at least (%(default)s)")
    parser.add_argument("--seed", type=int, help="random if left out, and told")
    options = parser.parse_args(arguments)
    number = options.seed if options.seed is not None else SystemRandom().randrange(2**31)
    os.environ.setdefault("PUNCTUAL_PARTS", str(CHECKOUT / ".punctual" / "parts"))
    say(f"seed {number}")
    began = monotonic()
    with tempfile.TemporaryDirectory(prefix="punctual-openapi-") as name:
        home = Path(name)
        home.chmod(0o755)
        system = LocalSystem(home / "home", ports="auto", services=(), foundations=("postgres", "kafka"), report=say)
        system.start()
        try:
            with running_intake(system.admin_database_url, system.kafka_bootstrap, home) as intake:
                outcome = call_intake(intake, options.cases, number, say)
        finally:
            system.stop()
    if outcome.findings:
        say(f"\n{outcome.report()}\n")
    statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(outcome.statuses.items()))
    say(f"{outcome.calls.total():,} calls in {monotonic() - began:.0f} s; answers {statuses}")
    say(f"{len(outcome.findings)} findings")
    return int(bool(outcome.findings))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
