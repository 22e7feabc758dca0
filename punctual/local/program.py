"""What a child process runs and how it is asked whether it is ready."""

from __future__ import annotations

import re
import signal
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from punctual.local.account import Account
from punctual.local.ports import HOST

Ready = Callable[[], str | None]
"""None when the program serves, else the reason why not yet, in a few words."""

_PROBE_SECONDS = 2.0
_ERROR = re.compile(r"error:|FATAL|PANIC|Exception|could not|No space left")


@dataclass(frozen=True, kw_only=True)
class Program:
    """A child of the supervisor.

    Attributes:
        env: variables on top of the supervisor's own.
        log: where both output streams go, appended.
        ready: asked until it gives None.
        stop_signal: what a graceful stop sends, and what the kernel sends when the supervisor dies.
        stop_seconds: how long a graceful stop may take before SIGKILL.
        account: who it runs as; None for ourselves.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    ready: Ready
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 20.0
    account: Account | None = None


def http_ready(port: int, path: str) -> str | None:
    """Ready when the path answers 200."""
    connection = HTTPConnection(HOST, port, timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(2000)
    except (OSError, HTTPException) as error:
        return f"port {port}: {type(error).__name__}"
    finally:
        connection.close()
    return None if answer.status == 200 else f"{path} answers {answer.status}: {body.decode(errors='replace')}"  # noqa: PLR2004


def kafka_ready(port: int) -> str | None:
    """Ready when the broker answers an ApiVersions request.

    It accepts connections long before, but answers nothing until it has joined the cluster.
    """
    api_versions, version, correlation, no_client_id = 18, 0, 1, -1
    body = struct.pack(">hhih", api_versions, version, correlation, no_client_id)
    return _exchange(port, struct.pack(">i", len(body)) + body, lambda answer: len(answer) > 4)  # noqa: PLR2004


def postgres_ready(port: int) -> str | None:
    """Ready when the server asks for authentication; while it starts or recovers it answers with an error instead."""
    protocol_3 = 196608
    body = struct.pack(">i", protocol_3) + b"user\0punctual\0database\0postgres\0\0"
    return _exchange(port, struct.pack(">i", len(body) + 4) + body, lambda answer: answer.startswith(b"R"))


def _exchange(port: int, request: bytes, is_good: Callable[[bytes], bool]) -> str | None:
    try:
        with socket.create_connection((HOST, port), timeout=_PROBE_SECONDS) as connection:
            connection.sendall(request)
            answer = connection.recv(256)
    except OSError as error:
        return f"port {port}: {type(error).__name__}"
    return None if is_good(answer) else "still starting"


def cause(output: str) -> str:
    """The line of a failed program's output that says why: the first that speaks of an error, else the last."""
    lines = output.strip().splitlines() or ["no message"]
    return next((line for line in lines if _ERROR.search(line)), lines[-1]).strip()
