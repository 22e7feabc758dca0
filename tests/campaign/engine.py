"""``python -m tests.campaign.engine --seeds 10000``: the whole engine under random programs, against the reference.

Each seed is a program of its own: `tests.model.world` tells what can happen in it. A seed that failed is named;
``--seed THAT`` runs it alone and prints what happened, step by step, and where the engine and the reference differ.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.model.playing import Failure, play

_BLOCK = 20
_SHOWN = 20  # failures; the first one is the one to look at
_MOST_TEXT = 600


def fails(seeds: range) -> list[tuple[int, str]]:
    """The seeds that fail, each with why."""
    found: list[tuple[int, str]] = []
    for seed in seeds:
        try:
            play(seed)
        except Failure as failure:
            found.append((seed, str(failure)))
    return found


def run(first: int, seeds: int, workers: int) -> Iterator[tuple[range, list[tuple[int, str]]]]:
    """Block by block, in order, as they are done."""
    blocks = [range(at, min(at + _BLOCK, first + seeds)) for at in range(first, first + seeds, _BLOCK)]
    if workers == 1:
        yield from ((block, fails(block)) for block in blocks)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from zip(blocks, pool.map(fails, blocks), strict=True)


def alone(seed: int) -> bool:
    """Play one seed and print its program; whether it passed."""
    try:
        diary, why = play(seed).diary, None
    except Failure as failure:
        diary, why = failure.diary, str(failure)
    for number, line in enumerate(diary, start=1):
        sys.stdout.write(f"{number:3} {line}\n")
    sys.stdout.write(f"{why}\n" if why is not None else "")
    return why is None


def main() -> int:
    """Gives 1 when a seed fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.engine", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many programs (%(default)s)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them (%(default)s)")
    parser.add_argument("--seed", type=int, help="only this one, with everything that happens in it")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (%(default)s)")
    asked = parser.parse_args()
    if asked.seed is not None:
        has_passed = alone(asked.seed)
        sys.stdout.write(f"{int(has_passed)} passed, {int(not has_passed)} failed\n")
        return int(not has_passed)
    done = failed = told = 0
    for block, failures in run(asked.first, asked.seeds, asked.workers):
        done += len(block)
        for seed, why in failures:
            failed += 1
            if failed <= _SHOWN:
                sys.stdout.write(f"{why[:_MOST_TEXT]}\n  alone: python -m tests.campaign.engine --seed {seed}\n")
                sys.stdout.flush()
        if done - told >= asked.seeds / 20:
            told = done
            sys.stderr.write(f"{done:,} of {asked.seeds:,} seeds, {failed} failed\n")
    sys.stdout.write(f"{done - failed} passed, {failed} failed\n")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
