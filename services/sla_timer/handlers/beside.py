"""Programs that run beside the service: they check files, or read everything in a process of their own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from services.sla_timer.handlers.lint import lint_files
from services.sla_timer.handlers.preview import PreviewJob, run_preview
from services.sla_timer.handlers.reading_jobs import read_job, tell
from services.sla_timer.handlers.verify import run_verify
from shared.errors import PunctualError

_USAGE = "usage: python -m services.sla_timer --lint POLICIES [CALENDARS] | --preview | --verify\n"
_EXIT_USAGE = 64  # EX_USAGE of sysexits.h


def run_beside(arguments: Sequence[str], database_url: Callable[[], str], calendars: Path) -> None:
    """Run the program that the arguments name; exits 1 with one line on standard error when it cannot.

    Args:
        calendars: used by ``--lint`` when none are named.
    """
    try:
        match arguments:
            case ["--lint", policies]:
                tell(lint_files(Path(policies), calendars))
            case ["--lint", policies, other]:
                tell(lint_files(Path(policies), Path(other)))
            case ["--preview"]:
                asyncio.run(run_preview(database_url(), PreviewJob.of(read_job()), tell))
            case ["--verify"]:
                asyncio.run(run_verify(database_url(), tell))
            case _:
                sys.stderr.write(_USAGE)
                sys.exit(_EXIT_USAGE)
    except PunctualError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
