"""Long readings run in processes of their own, so that no event and no timer waits for them.

Such a process is this service's own program with an option; it reads a job from its standard input and writes a JSON
object a line: its progress, then its result.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from shared.errors import PunctualError
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_OWN = (sys.executable, "-m", "services.sla_timer")
_LONGEST_LINE = 64 * 1024 * 1024
"""Bytes. A result that lists a thousand clocks has less; the 64 KiB that asyncio would take are too few."""

_TAIL = 2000  # characters of what it said on its standard error that the log keeps


class AlreadyRunning(PunctualError):
    """One reading of a kind at a time: each takes a core."""


class Programs:
    """Starts them, one of each kind at a time.

    Args:
        command: the program.
        env: variables on top of this process's own.
    """

    def __init__(self, command: Sequence[str] = _OWN, env: Mapping[str, str] | None = None) -> None:
        self._command = tuple(command)
        self._env = dict(env or {})
        self._busy: set[str] = set()

    async def start(self, option: str, job: Mapping[str, Any]) -> Run:
        """
        Raises:
            AlreadyRunning: the one before has not ended.
        """
        if option in self._busy:
            raise AlreadyRunning(f"{option} is running already")
        self._busy.add(option)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                option,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=_LONGEST_LINE,
                env={**os.environ, **self._env},
            )
        except BaseException:
            self._busy.discard(option)
            raise
        return Run(process, json.dumps(job).encode(), lambda: self._busy.discard(option))


class Run:
    """A process at work; whoever started it ends it."""

    def __init__(self, process: Process, job: bytes, ended: Any) -> None:
        self._process = process
        self._job = job
        self._ended = ended

    async def lines(self) -> AsyncIterator[bytes]:
        """What it writes, a line at a time; a last line of kind ``failed`` when it does not end well."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        complaints = asyncio.ensure_future(self._process.stderr.read())
        try:
            self._process.stdin.write(self._job)
            self._process.stdin.close()
            while line := await self._process.stdout.readline():
                yield line
            code = await self._process.wait()
            said = (await complaints).decode(errors="replace")[-_TAIL:]
        finally:
            complaints.cancel()
        if code != 0:
            _log.error("a reading failed", exit_code=code, said=said)
            yield json.dumps({"kind": "failed", "detail": _last_line(said)}).encode() + b"\n"

    async def end(self) -> None:
        """Make sure that it is gone, whether or not it was done."""
        try:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
        finally:
            self._ended()


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:500] if lines else "it ended without a word"
