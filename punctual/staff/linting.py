"""Checks files without a server: the service's own program reads them, as a child process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.errors import PunctualError

_SECONDS = 120
_INTAKE = "services.intake.api.lint"


def lint_files(policies: Path, calendars: Path | None) -> dict[str, Any]:
    """The errors and remarks of policies; without calendars against those that the program ships.

    Raises:
        PunctualError: a file cannot be read.
    """
    return _lint("services.sla_timer", "--lint", policies, *([calendars] if calendars is not None else []))


def lint_processes(files: Sequence[Path]) -> dict[str, Any]:
    """The errors and remarks of process definitions; each names its file.

    Raises:
        PunctualError: a file cannot be read.
    """
    return _lint(_INTAKE, "process", *files)


def lint_automation(file: Path) -> dict[str, Any]:
    """The errors and remarks of rules of automation.

    Raises:
        PunctualError: the file cannot be read.
    """
    return _lint(_INTAKE, "automation", file)


def lint_validation(file: Path) -> dict[str, Any]:
    """The errors and remarks of rules of validation.

    Raises:
        PunctualError: the file cannot be read.
    """
    return _lint(_INTAKE, "validation", file)


def _lint(module: str, what: str, *files: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", module, what, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode != 0:
        raise PunctualError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the check failed")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
