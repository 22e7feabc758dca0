"""Names the machine and the versions, without which a figure means nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from punctual.local.parts.jars import LOCK_FILE, read_lock

_CPU_INFO = Path("/proc/cpuinfo")
_GIBIBYTE = 2**30


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
    }


def _cpu_model() -> str:
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
