"""One child process: started on a leash, in a process group of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import psutil

from punctual.local.program import Program
from shared.clock import monotonic
from shared.errors import PunctualError

_LEASH = Path(__file__).with_name("leash.py")
_POLL_SECONDS = 0.03
_TAIL_LINES = 12


class StartFailed(PunctualError):
    """A child ended, or did not become ready in time; the message has the end of its log."""


class Child:
    """A program that can be started, ended and started again.

    Args:
        spawner: an executor with one thread that lives as long as the system. The kernel ties a child to the *thread*
            that made it, so a child made by a short-lived thread would be ended with it.
        on_spawn: called after each start, in that thread.
    """

    def __init__(self, program: Program, spawner: Executor, on_spawn: Callable[[Child], None]) -> None:
        self.program = program
        self.is_held = False
        self.spawned_at = 0.0
        self._spawner = spawner
        self._on_spawn = on_spawn
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the last process ended; negative is the signal that ended it."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it, unless it runs; from then on the supervisor restarts it when it dies."""
        with self._starting:
            self.is_held = False
        self.revive()

    def revive(self) -> None:
        """Start it again, unless it runs or was ended on purpose."""
        with self._starting:
            if not self.is_held and not self.is_running:
                self._spawner.submit(self._spawn).result()

    def hold(self) -> None:
        """Let the supervisor leave it alone until ``start``."""
        with self._starting:  # waits for a revival under way, so that it is not missed by what follows
            self.is_held = True

    def kill(self) -> None:
        """SIGKILL, to all its processes; not restarted until ``start``."""
        self.hold()
        for process in self._tree():  # who stands still has no more children, so the second look finds all of them
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        tree = self._tree()
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.wait(timeout_seconds=10)
        psutil.wait_procs(tree, timeout=5)  # Postgres does not start while one that served the former one is left

    def terminate(self) -> None:
        """Ask it to end gracefully; not restarted until ``start``."""
        self.hold()
        self._signal(self.program.stop_signal)

    def suspend(self) -> None:
        """SIGSTOP: it stands still and keeps its connections, as a machine does that is short of memory."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def wait(self, timeout_seconds: float | None = None) -> int | None:
        """Wait for its end and give its exit code; TimeoutError when it takes longer."""
        if self._process is None:
            return None
        try:
            return self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} still runs after {timeout_seconds} s") from None

    def stop(self) -> None:
        """End it gracefully, and by force when that takes too long."""
        self.hold()
        if not self.is_running:
            return
        tree = self._tree()
        self._signal(self.program.stop_signal)
        self._signal(signal.SIGCONT)  # a suspended one could not hear it
        try:
            self.wait(self.program.stop_seconds)
        except TimeoutError:
            self.kill()
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
                process.wait(timeout=5)

    def wait_until_ready(self, timeout_seconds: float) -> None:
        """Return as soon as it serves.

        Raises:
            StartFailed: it ended, or the time is up.
        """
        until = monotonic() + timeout_seconds
        reason: str | None = "not started"
        while monotonic() < until:
            if self.is_held:
                raise StartFailed(f"{self.name} was told to end before it was ready")
            if not self.is_running:
                raise StartFailed(f"{self.name} ended with code {self.exit_code}{self._end_of_log()}")
            reason = self.program.ready()
            if reason is None:
                return
            time.sleep(_POLL_SECONDS)
        raise StartFailed(f"{self.name} was not ready after {timeout_seconds:.0f} s ({reason}){self._end_of_log()}")

    def _spawn(self) -> None:
        program = self.program
        account = program.account
        leash = [
            sys.executable,
            "-I",
            "-S",
            str(_LEASH),
            str(os.getpid()),
            str(int(program.stop_signal)),
            str(-1 if account is None else account.uid),
            str(-1 if account is None else account.gid),
        ]
        with program.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*leash, *program.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=program.folder,
                env={**os.environ, **program.env},
                process_group=0,  # Ctrl-C in our terminal is for us alone; we end them in order
            )
        self.spawned_at = monotonic()
        self._on_spawn(self)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _tree(self) -> list[psutil.Process]:
        """The process and those it started; Postgres puts each of its own into a group of its own."""
        if not self.is_running or self.pid is None:
            return []
        try:
            process = psutil.Process(self.pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _end_of_log(self) -> str:
        try:
            with self.program.log.open("rb") as log:
                log.seek(max(0, self.program.log.stat().st_size - 4000))
                lines = log.read().decode(errors="replace").strip().splitlines()[-_TAIL_LINES:]
        except OSError:
            return ""
        return "".join(f"\n  {line}" for line in ["", f"the end of {self.program.log}:", *lines])
