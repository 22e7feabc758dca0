"""Process definitions of as many stages as one likes."""

from __future__ import annotations

_HEAD = 'format: "1"\nprocess: ring\nkind: enquiry\nstart: s0\nstages:\n'
_END = "outcomes:\n  done: {}\n"


def ring(number: int, following: str | None = None) -> str:
    """Each stage leads to the next, and the last to the first; or all of them to ``following``."""
    stages = (f"  s{n}: {{next: {following or f's{(n + 1) % number}'}}}\n" for n in range(number))
    return _HEAD + "".join(stages) + _END


def chain(number: int) -> str:
    """Each stage leads to the next, and the last to none."""
    stages = (f"  s{n}: {{next: s{n + 1}}}\n" for n in range(number - 1))
    return _HEAD + "".join(stages) + f"  s{number - 1}: {{}}\n" + _END
