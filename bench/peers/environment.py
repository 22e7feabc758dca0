"""The peers' Python: an environment of its own, made once from a lock with hashes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from bench.rig import say
from punctual.local.parts.store import ensure_part
from punctual.local.settings import CHECKOUT
from shared.errors import ConfigurationError

LOCK = Path(__file__).with_name("requirements.txt")

_FOLDER = CHECKOUT / ".punctual" / "peers"


def ensure_peers_python() -> Path:
    """The interpreter that has the peers; the first call downloads them, another lock makes another environment.

    Raises:
        ConfigurationError: pip failed; says with what.
    """
    name = hashlib.sha256(LOCK.read_bytes() + f"{sys.version} {CHECKOUT}".encode()).hexdigest()[:12]
    return ensure_part(_FOLDER, name, _install) / "bin" / "python"


def _install(folder: Path) -> None:
    say(f"installing the peers into {_FOLDER}")
    # Its scripts would name the folder it is made in, which is renamed; its interpreter does not, and no script is run.
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    options = ["--require-hashes", "--only-binary=:all:", "--progress-bar=off", "--no-input", "--quiet"]
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    _run([*pip, *options, f"--requirement={LOCK}"])


def _run(command: list[str]) -> None:
    environment = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-3:]
        raise ConfigurationError(f"the peers could not be installed: {' '.join(errors)}")
