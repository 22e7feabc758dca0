"""Names the machine and the versions, without which a figure means nothing."""

from __future__ import annotations

import os
import platform
import timeit
from importlib.metadata import version
from pathlib import Path

import psutil

from punctual.local.parts.jars import LOCK_FILE, read_lock

_CPU_INFO = Path("/proc/cpuinfo")
_GIBIBYTE = 2**30
_PACE_ROUNDS = 20


def describe_machine(postgres_version: str) -> dict[str, str]:
    """What the figures depend on."""
    return {
        "cores": str(os.cpu_count()),
        "CPU": _cpu_model(),
        "memory": f"{psutil.virtual_memory().total / _GIBIBYTE:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Postgres": postgres_version,
        "Kafka": read_lock(LOCK_FILE).kafka_version,
        "aiokafka": version("aiokafka"),
        "asyncpg": version("asyncpg"),
        "pace": f"{_pace_ms():.0f} ms for a million additions",
    }


def _pace_ms() -> float:
    """How long plain Python takes right now: the cores of a virtual machine are not always equally fast."""
    statement = "for number in numbers: total += number"
    took = timeit.timeit(statement, "numbers = range(10**6); total = 0", number=_PACE_ROUNDS)
    return took / _PACE_ROUNDS * 1000


def _cpu_model() -> str:
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
