"""Who holds a home, and which processes and addresses the present run has."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import psutil

from punctual.local.folders import Folders, read_json, readable_errors, write_whole
from shared.errors import ConfigurationError

_SAME_START_SECONDS = 2.0  # psutil's start times of one process differ by this much at most when the clock is set
_END_SECONDS = 25.0


@dataclass(frozen=True)
class ProcessId:
    """A process, told apart from a later one with the same number by when it started."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    def find(self) -> psutil.Process | None:
        """The process, if it still lives."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > _SAME_START_SECONDS:
                return None
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except psutil.Error:
            return None


class HomeLock:
    """Held for as long as the system runs; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._file: TextIOWrapper | None = None

    def take(self) -> None:
        """Raises ConfigurationError when another process has it."""
        with readable_errors():
            file = self._folders.lock_file.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise ConfigurationError(
                f"a system already runs in {self._folders.home} (process {holder}); `punctual down` ends it, "
                "or set PUNCTUAL_HOME to another folder for a second one"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def write_run(file: Path, values: Mapping[str, Any], processes: Mapping[str, int | None]) -> None:
    """Write ``run.json``: the supervisor, its children, and what else is worth knowing."""
    found = {name: ProcessId.of(pid) for name, pid in processes.items() if pid is not None}
    supervisor = ProcessId.of(os.getpid())
    record = {
        **values,
        "supervisor": None if supervisor is None else vars(supervisor),
        "processes": {name: vars(process) for name, process in found.items() if process is not None},
    }
    write_whole(file, json.dumps(record, indent=1) + "\n")


def recorded_processes(file: Path) -> dict[str, ProcessId]:
    """The children that ``run.json`` names, alive or not."""
    record = read_json(file) or {}
    return {name: ProcessId(**process) for name, process in record.get("processes", {}).items()}


def recorded_ports(file: Path) -> dict[str, int]:
    """The ports that ``run.json`` names."""
    record = read_json(file) or {}
    return {name: int(port) for name, port in record.get("ports", {}).items()}


def supervisor_of(file: Path) -> psutil.Process | None:
    """The supervisor that ``run.json`` names, if it lives."""
    record = read_json(file) or {}
    return ProcessId(**record["supervisor"]).find() if record.get("supervisor") else None


def end_left_over(file: Path, report: Callable[[str], None]) -> bool:
    """End the children of a run whose supervisor was killed; whether there were any."""
    left = {name: found for name, process in recorded_processes(file).items() if (found := process.find())}
    if left:
        report(f"ending what a killed run left behind: {', '.join(sorted(left))}")
        _end(left.values())
    return bool(left)


def _end(processes: Iterable[psutil.Process]) -> None:
    everything = [*processes]
    for process in everything:
        _quietly(process.resume)
        _quietly(
            partial(process.send_signal, signal.SIGINT)
        )  # graceful for all; Postgres' SIGTERM waits for its clients
    _, alive = psutil.wait_procs(everything, timeout=_END_SECONDS)
    for process in alive:
        _quietly(process.kill)
    psutil.wait_procs(alive, timeout=5)


def _quietly(action: Callable[[], None]) -> None:
    try:
        action()
    except psutil.NoSuchProcess:
        return
