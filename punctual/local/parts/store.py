"""A folder of downloads: each part appears whole or not at all, and two systems may share it."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from punctual.local.folders import readable_errors


@dataclass(frozen=True)
class Progress:
    """What a download calls while it goes on.

    Attributes:
        tell: takes a line for a person.
        check: called every second or so; raises when the download is no longer wanted.
    """

    tell: Callable[[str], None]
    check: Callable[[], None] = lambda: None


def ensure_part(parts: Path, name: str, build: Callable[[Path], None]) -> Path:
    """The folder ``parts/name``, built by ``build`` in a folder of another name when it is not there yet.

    An interrupted build leaves only that other folder, which the next one removes.
    """
    finished = parts / name
    if finished.is_dir():
        return finished
    with readable_errors():
        parts.mkdir(parents=True, exist_ok=True)
        with (parts / f".lock-{name}").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if finished.is_dir():  # another system built it while we waited
                return finished
            for left in parts.glob(f".{name}.*"):
                shutil.rmtree(left)
            partial = parts / f".{name}.{secrets.token_hex(4)}"
            partial.mkdir(mode=0o755)
            try:
                build(partial)
                _open_to_all(partial)
                partial.rename(finished)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
    return finished


def _open_to_all(folder: Path) -> None:
    """Let every account read what we downloaded, whatever the umask: Postgres may run as another one."""
    for root, _, files in os.walk(folder):
        Path(root).chmod(0o755)
        for file in files:
            path = Path(root, file)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
