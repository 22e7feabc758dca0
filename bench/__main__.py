"""`python -m bench` lists the benchmarks; `python -m bench NAME` runs one on a system of its own.

The result goes to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module

from bench.figures import Result, save
from bench.machine import describe_machine
from bench.rig import say
from shared.clock import real_now
from shared.contracts.envelope import format_instant
from shared.errors import PunctualError

BENCHMARKS = {
    "end_to_end": "bench.end_to_end",
    "http": "bench.http_rate",
    "sla_timer": "bench.sla_timer",
    "lookups": "bench.lookups",
    "lateness": "bench.lateness",
    "moves": "bench.moves",
    "restart": "bench.restart",
    "start": "bench.start",
    "worktime": "bench.worktime",
    "peers": "bench.peer_rates",
}
"""Name and module; each module has SUMMARY, add_options and run."""

_OURS = frozenset({"name", "json", "save"})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0] if __doc__ else "")
    names = parser.add_subparsers(dest="name", metavar="NAME")
    for name, module in BENCHMARKS.items():
        benchmark = import_module(module)
        options = names.add_parser(
            name, help=benchmark.SUMMARY, description=f"{benchmark.SUMMARY}. Example: python -m bench {name} --json"
        )
        options.add_argument("--json", action="store_true", help="print the result as JSON")
        options.add_argument("--save", action="store_true", help="add the result to bench/results/<date>.json")
        benchmark.add_options(options)
    asked = parser.parse_args()
    if asked.name is None:
        parser.print_help()
        return 0
    try:
        _run(asked)
    except (PunctualError, TimeoutError) as error:
        say(f"{asked.name}: {error}")
        return 1
    return 0


def _run(asked: argparse.Namespace) -> None:
    began_at = real_now()
    measured = import_module(BENCHMARKS[asked.name]).run(asked)
    result = Result(
        benchmark=asked.name,
        began_at=format_instant(began_at),
        settings={name: value for name, value in vars(asked).items() if name not in _OURS},
        machine=describe_machine(measured.postgres_version),
        figures=measured.figures,
    )
    print(json.dumps(result.as_json(), indent=1, ensure_ascii=False) if asked.json else result.as_text())
    if asked.save:
        say(f"saved in {save(result)}")


if __name__ == "__main__":
    sys.exit(main())
