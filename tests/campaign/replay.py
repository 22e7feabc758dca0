"""``python -m tests.campaign.replay [LOG ...]``: replays event logs of others in full and compares five accounts.

Each log is sent through the HTTP API of a real intake of its own. Then the replay's report, an independent count of
the file, intake's tables, its API and the Kafka log must agree. Fails when one figure does not.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from punctual.local.settings import CHECKOUT
from shared.clock import monotonic
from tests.campaign.kills_rig import say
from tests.campaign.replay_comparing import differences
from tests.campaign.replay_counting import count_log
from tests.campaign.replay_rig import look_at, replayed, running_intake

DATA = CHECKOUT.parent / "shared" / "data"

LOGS = {
    "receipts": ("receipt-permits", "wabo_receipt_permits_nl/receipt.csv.gz"),
    "permits": ("building-permits", "bpic2015_1_permits_duedates/bpic15_1.csv.gz"),
    "helpdesk": ("helpdesk", "helpdesk_it/helpdesk.csv.gz"),
    "loans": ("loans", "bpic2012_loans_nl/bpic2012.xes.gz"),
    "claims": ("insurance-claims", "simulated_insurance_claims/log_claims_2021.csv.gz"),
    "teleclaims": ("teleclaims", "simulated_insurance_claims/teleclaims.xes.gz"),
    "incidents": ("incidents", "bpic2014_rabobank_incidents_sample/BPIC14_incident_log.csv.gz"),
    "city": ("city-services", "boston311_sample_2015_2024/boston311_sample.csv.gz"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.replay", description=__doc__)
    parser.add_argument("logs", nargs="*", metavar="LOG", help=f"{', '.join(LOGS)}; all when none is named")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the logs (%(default)s)")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.logs if name not in LOGS]:
        parser.error(f"no log {', '.join(unknown)}; there are {', '.join(LOGS)}")
    os.environ.setdefault("PUNCTUAL_PARTS", str(CHECKOUT / ".punctual" / "parts"))
    names = options.logs or list(LOGS)
    failed = [name for name in names if not replay_and_compare(name, options.data)]
    say(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def replay_and_compare(name: str, data: Path) -> bool:
    map_name, file = LOGS[name]
    began_at = monotonic()
    with tempfile.TemporaryDirectory(prefix="punctual-replay-") as folder:
        Path(folder).chmod(0o755)
        with running_intake(Path(folder) / "home") as system:
            outcome = replayed(system, data / file, map_name)
            if outcome.is_interrupted:
                sys.exit(f"{name}: interrupted")
            stored = look_at(system, outcome)
    report = outcome.as_dict(whole=True)
    say(f"{name}: {data / file}")
    for line in outcome.lines():
        if line.startswith("  ") or line.endswith("one by one:"):
            continue
        say(f"  {line}")
    say(f"  stored      {stored.entries} entries, {stored.events} events in Kafka, {stored.verified} requests verified")
    for action, codes in report["refused_actions"].items():
        say(f"  refused     {action}: " + ", ".join(f"{number} x {code}" for code, number in codes.items()))
    found = differences(count_log(data / file, map_name), report, stored)
    if stored.verified != outcome.tally.submitted:
        found.append(f"requests in the store: {stored.verified} and {outcome.tally.submitted}")
    for difference in found:
        say(f"  DIFFERENT   {difference[:1000]}")
    say(f"  {'differs' if found else 'agrees'} after {monotonic() - began_at:.0f} s in all")
    return not found


if __name__ == "__main__":
    sys.exit(main())
