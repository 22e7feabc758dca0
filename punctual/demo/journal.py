"""What the demo has begun and how far each request is, so that a stopped demo goes on where it was.

One JSON object per line, appended; a torn last line is what a kill left, and is skipped. The idempotency keys come
from the numbers here, so a call that was sent but not noted is answered a second time instead of being done twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Begun:
    """A request under way.

    Attributes:
        seed, number, at: give the plan back.
        reference: None until intake has accepted it.
        done: moves that were answered.
    """

    seed: int
    number: int
    at: datetime
    reference: str | None = None
    done: int = 0


class Journal:
    """Args:
    file: made when it is not there; rewritten at the start with only what is still under way.
    """

    def __init__(self, file: Path) -> None:
        self.last_number = 0
        self.last_at: datetime | None = None
        self.under_way: dict[int, Begun] = {}
        for line in _lines(file):
            self._apply(line)
        file.parent.mkdir(parents=True, exist_ok=True)
        compact = file.with_suffix(".new")
        compact.write_text("".join(json.dumps(line) + "\n" for line in self._remaining()), encoding="utf-8")
        compact.replace(file)
        self._out = file.open("a", encoding="utf-8", buffering=1)

    def begin(self, seed: int, number: int, at: datetime) -> None:
        """Before the submission is sent."""
        self._write({"n": number, "seed": seed, "at": at.isoformat()})

    def accepted(self, number: int, reference: str) -> None:
        self._write({"n": number, "reference": reference})

    def done(self, number: int, moves: int) -> None:
        """So many moves are answered."""
        self._write({"n": number, "done": moves})

    def ended(self, number: int) -> None:
        """Nothing more will be sent about it."""
        self._write({"n": number, "ended": True})

    def close(self) -> None:
        self._out.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._apply(line)
        self._out.write(json.dumps(line) + "\n")

    def _apply(self, line: dict[str, Any]) -> None:
        number = int(line["n"])
        if "at" in line:
            at = datetime.fromisoformat(line["at"])
            begun = Begun(int(line["seed"]), number, at, line.get("reference"), line.get("done", 0))
            self.last_number = max(self.last_number, number)
            self.last_at = at if self.last_at is None else max(self.last_at, at)
            self.under_way[number] = begun
        known = self.under_way.get(number)
        if known is None:
            return
        known.reference = line.get("reference", known.reference)
        known.done = line.get("done", known.done)
        if "ended" in line:
            del self.under_way[number]

    def _remaining(self) -> Iterator[dict[str, Any]]:
        if self.last_at is not None and self.last_number not in self.under_way:
            yield {"n": self.last_number, "seed": 0, "at": self.last_at.isoformat()}
            yield {"n": self.last_number, "ended": True}
        for begun in self.under_way.values():
            yield {
                "n": begun.number,
                "seed": begun.seed,
                "at": begun.at.isoformat(),
                "reference": begun.reference,
                "done": begun.done,
            }


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    if not file.exists():
        return
    with file.open(encoding="utf-8", errors="replace") as text:
        for line in text:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict) and "n" in value:
                yield value
