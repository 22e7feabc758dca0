"""What `punctual doctor` looks at: is everything here that a local system needs, and if not, how is it mended."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from punctual.local.account import can_reach, unprivileged_account
from punctual.local.folders import Folders
from punctual.local.parts.jars import read_lock
from punctual.local.parts.java import OLDEST as OLDEST_JAVA
from punctual.local.parts.java import find_java, java_version
from punctual.local.parts.postgres_binaries import check_binaries
from punctual.local.parts.wheels import downloaded
from punctual.local.placement import ELSEWHERE
from punctual.local.ports import PREFERRED, is_free
from punctual.local.run_record import recorded_ports, supervisor_of
from punctual.local.settings import LocalSettings
from shared.errors import ConfigurationError

OLDEST_PYTHON = (3, 11)
_DISK_BYTES = 2_000_000_000  # downloads unpack to 230 MB; the rest is for data and logs
_MEMORY_BYTES = 1_500_000_000  # Kafka 350 MB, Postgres 150 MB, six Python processes of about 100 MB, and air

Level = Literal["ok", "note", "missing"]


@dataclass(frozen=True)
class Finding:
    """Attributes:
    level: ``note`` is worth knowing but in nobody's way; ``missing`` must be mended before a start.
    mend: what to do, or "".
    """

    subject: str
    level: Level
    found: str
    mend: str = ""


def findings(folders: Folders, settings: LocalSettings) -> list[Finding]:
    """All checks, in the order in which a start would meet them."""
    checks: list[Callable[[], Iterator[Finding]]] = [
        _python,
        _make,
        lambda: _home(folders),
        lambda: _disk(folders),
        _memory,
        lambda: _jars(folders),
        lambda: _java(folders, settings),
        lambda: _postgres(folders, settings),
        lambda: _account(folders, settings),
        lambda: _ports(folders),
    ]
    return [finding for check in checks for finding in check()]


def _python() -> Iterator[Finding]:
    version = sys.version.split()[0]
    if sys.version_info < OLDEST_PYTHON:
        yield Finding("python", "missing", version, "install Python 3.11 or newer, then `make venv`")
    else:
        yield Finding("python", "ok", f"{version} in {sys.prefix}")


def _make() -> Iterator[Finding]:
    make = shutil.which("make")
    if make is None:
        yield Finding("make", "missing", "not on PATH", "install it, on Debian and Ubuntu: apt-get install make")
    else:
        yield Finding("make", "ok", make)


def _home(folders: Folders) -> Iterator[Finding]:
    existing = _existing(folders)
    if not os.access(existing, os.W_OK | os.X_OK):
        yield Finding("home", "missing", f"{existing} cannot be written", "set PUNCTUAL_HOME to a folder of yours")
    else:
        yield Finding("home", "ok", str(folders.home))


def _disk(folders: Folders) -> Iterator[Finding]:
    existing = _existing(folders)
    free = shutil.disk_usage(existing).free
    text = f"{free / 1e9:.1f} GB free at {existing}"
    if free < _DISK_BYTES:
        yield Finding("disk", "missing", text, "make 2 GB free, or set PUNCTUAL_HOME to a folder on another disk")
    else:
        yield Finding("disk", "ok", text)


def _existing(folders: Folders) -> Path:
    """The home, or the folder in which it will be made."""
    return next(folder for folder in (folders.home, *folders.home.parents) if folder.exists())


def _memory() -> Iterator[Finding]:
    available = psutil.virtual_memory().available
    text = f"{available / 1e9:.1f} GB available"
    if available < _MEMORY_BYTES:
        yield Finding("memory", "missing", text, "end other programs: about 1.5 GB are needed")
    else:
        yield Finding("memory", "ok", text)


def _jars(folders: Folders) -> Iterator[Finding]:
    lock = read_lock()
    folder = folders.parts / lock.folder_name
    if not folder.is_dir():
        size = sum(jar.size for jar in lock.jars) / 1e6
        yield Finding("kafka", "note", f"{lock.kafka_version} will be downloaded at the first start ({size:.0f} MB)")
        return
    wrong = [jar.file_name for jar in lock.jars if not jar.is_intact(folder)]
    if wrong:
        yield Finding("kafka", "missing", f"{', '.join(wrong)} not as in the lock", f"remove {folder}")
    else:
        yield Finding("kafka", "ok", f"{lock.kafka_version} in {folder}, all hashes right")


def _java(folders: Folders, settings: LocalSettings) -> Iterator[Finding]:
    try:
        java = find_java(settings.java_home)
    except ConfigurationError as error:
        yield Finding("java", "missing", str(error), "correct PUNCTUAL_JAVA_HOME or unset it")
        return
    if java is not None:
        yield Finding("java", "ok", f"{java_version(java)} ({java})")
    elif (folder := downloaded(folders.parts, "java")) is not None:
        yield Finding("java", "ok", f"downloaded, in {folder}")
    else:
        text = f"none of {OLDEST_JAVA} or newer here, one will be downloaded at the first start (35 MB)"
        yield Finding("java", "note", text)


def _postgres(folders: Folders, settings: LocalSettings) -> Iterator[Finding]:
    if settings.postgres_bin is not None:
        try:
            version = check_binaries(settings.postgres_bin)
        except ConfigurationError as error:
            yield Finding("postgres", "missing", str(error), "correct PUNCTUAL_POSTGRES_BIN or unset it")
        else:
            yield Finding("postgres", "ok", f"{version} in {settings.postgres_bin}")
    elif (folder := downloaded(folders.parts, "postgres")) is not None:
        yield Finding("postgres", "ok", f"downloaded, in {folder}")
    else:
        yield Finding("postgres", "note", "will be downloaded at the first start (25 MB)")


def _account(folders: Folders, settings: LocalSettings) -> Iterator[Finding]:
    try:
        account = unprivileged_account(settings.postgres_account)
    except ConfigurationError as error:
        yield Finding("account", "missing", str(error), "run as an ordinary user, or name one")
        return
    if account is None:
        return
    yield Finding("account", "ok", f"we are root, Postgres will run as {account.name}")
    if not can_reach(account, _existing(folders)):
        yield Finding(
            "account", "note", f"{folders.home} is closed to {account.name}; Postgres' data go to {ELSEWHERE[0]}"
        )


def _ports(folders: Folders) -> Iterator[Finding]:
    if supervisor_of(folders.run_file) is not None:
        ports = recorded_ports(folders.run_file)
        yield Finding("ports", "ok", f"the system runs: {', '.join(f'{name} {port}' for name, port in ports.items())}")
        return
    taken = [f"{name} {port}" for name, port in PREFERRED.items() if not is_free(port)]
    if taken:
        yield Finding("ports", "note", f"taken: {', '.join(taken)}; other ones will be used")
    else:
        yield Finding("ports", "ok", "all free")
