"""``python -m tests.conformance.vectors FILE...``"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.conformance.vectors.outcome import Verdict
from tests.conformance.vectors.runner import run_file


def main(files: list[str]) -> int:
    """Gives 0 when nothing failed and nothing was left uncovered, 1 otherwise, 2 when there is nothing to run."""
    if not files:
        sys.stderr.write("usage: python -m tests.conformance.vectors FILE...\n")
        return 2
    counts = dict.fromkeys(Verdict, 0)
    for file in files:
        for outcome in run_file(Path(file)):
            counts[outcome.verdict] += 1
            if outcome.verdict is not Verdict.PASSED:
                sys.stdout.write(f"{outcome.verdict:11}  {outcome.vector_id}  {outcome.note}\n")
    sys.stdout.write(f"{counts[Verdict.LEFT_OUT]} left out (not scored), {counts[Verdict.NOT_COVERED]} not covered\n")
    sys.stdout.write(f"{counts[Verdict.PASSED]} passed, {counts[Verdict.FAILED]} failed\n")
    return 1 if counts[Verdict.FAILED] or counts[Verdict.NOT_COVERED] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
