"""What a benchmark reports: figures with units, what was asked for, and the machine it ran on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number.

    Attributes:
        unit: ``ms``, ``s``, ``/s``, ``MiB``, ``cores``, or nothing for counts and ratios.
    """

    name: str
    value: float
    unit: str = ""

    def text(self) -> str:
        """The number with as many digits as it deserves."""
        if math.isnan(self.value):
            return "-"
        if self.value == int(self.value):
            return f"{int(self.value):,}"
        size = abs(self.value)
        return f"{self.value:,.0f}" if size >= 1000 else f"{self.value:.1f}" if size >= 10 else f"{self.value:.2f}"


@dataclass(frozen=True, slots=True)
class Result:
    """One run of one benchmark.

    Attributes:
        settings: what the benchmark was asked for.
        machine: see `bench.machine`.
        began_at: RFC 3339.
    """

    benchmark: str
    began_at: str
    settings: Mapping[str, Any]
    machine: Mapping[str, Any]
    figures: Sequence[Figure]

    def as_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "figures": [
                {"name": f.name, "value": None if math.isnan(f.value) else round(f.value, 4), "unit": f.unit}
                for f in self.figures
            ],
        }

    def as_text(self) -> str:
        """A table for people."""
        asked = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        width = max(len(figure.name) for figure in self.figures)
        digits = max(len(figure.text()) for figure in self.figures)
        lines = [f"  {f.name:<{width}}  {f.text():>{digits}} {f.unit}".rstrip() for f in self.figures]
        machine = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        return "\n".join([f"{self.benchmark} ({asked})", *lines, f"  on: {machine}"])


def save(result: Result, folder: Path = RESULTS) -> Path:
    """Add a result to the file of its day."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{result.began_at[:10]}.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    text = json.dumps([*kept, result.as_json()], indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
    return file


def milliseconds(name: str, seconds: float) -> Figure:
    return Figure(name, seconds * 1000, "ms")
