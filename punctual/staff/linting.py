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


def lint_files(policies: Path, calendars: Path | None) -> dict[str, Any]:
    """The errors and remarks of policies; without calendars against those that the program ships.

    Raises:
        PunctualError: a file cannot be read.
    """
    return _lint("sla_timer", policies, *([calendars] if calendars is not None else []))


def lint_processes(files: Sequence[Path]) -> dict[str, Any]:
    """The errors and remarks of process definitions; each names its file.

    Raises:
        PunctualError: a file cannot be read.
    """
    return _lint("intake", *files)


def lint_automation(file: Path) -> dict[str, Any]:
    """The errors and remarks of rules of automation.

    Raises:
        PunctualError: the file cannot be read.
    """
    return _lint("intake", file, option="--lint-automation")


def lint_validation(file: Path) -> dict[str, Any]:
    """The errors and remarks of rules of validation.

    Raises:
        PunctualError: the file cannot be read.
    """
    return _lint("intake", file, option="--lint-validation")


def _lint(service: str, *files: Path, option: str = "--lint") -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}", option, *(str(file) for file in files)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode != 0:
        raise PunctualError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the check failed")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
