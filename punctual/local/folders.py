"""The folders and files of one local system.

<home>/
├── parts/            downloads: jars, Java, Postgres (or $PUNCTUAL_PARTS)
├── data/             kafka/ postgres/ mail/ and the small files below
│   ├── home_id       names this home, so that data kept elsewhere is never taken for another home's
│   ├── secrets.json  passwords and API keys in plain text, 0600
│   ├── issuer/       accounts, signing keys and sessions of the embedded issuer, 0600
│   ├── keys.json     hashes of the API keys, what the services read
│   ├── clock.json    the business instant to continue from
│   └── run.json      the processes and addresses of the present run
├── logs/             one file per process
└── lock              held by the supervisor
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.errors import ConfigurationError


class Folders:
    """Paths below a home; makes them when ``make`` is called."""

    def __init__(self, home: Path, parts: Path | None = None) -> None:
        self.home = home.expanduser().absolute()
        self.parts = (parts or self.home / "parts").expanduser().absolute()
        self.data = self.home / "data"
        self.logs = self.home / "logs"
        self.kafka = self.data / "kafka"
        self.mail = self.data / "mail"
        self.issuer = self.data / "issuer"
        self.secrets_file = self.data / "secrets.json"
        self.keys_file = self.data / "keys.json"
        self.clock_file = self.data / "clock.json"
        self.run_file = self.data / "run.json"
        self.lock_file = self.home / "lock"

    def make(self) -> None:
        # The modes are set whatever the umask says: Postgres runs as another account when we are root and has to
        # pass through data/, and only through.
        with readable_errors():
            for folder, mode in ((self.home, 0o755), (self.parts, 0o755), (self.data, 0o711), (self.logs, 0o755)):
                if not folder.is_dir():
                    folder.mkdir(parents=True)
                    folder.chmod(mode)
            if not os.access(self.data, os.W_OK):
                raise ConfigurationError(f"{self.data} cannot be written; choose another folder with PUNCTUAL_HOME")

    @property
    def home_id(self) -> str:
        """A random name given to this home when it was made."""
        file = self.data / "home_id"
        if not file.exists():
            write_whole(file, secrets.token_hex(8))
        return file.read_text().strip()

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


@contextlib.contextmanager
def readable_errors() -> Iterator[None]:
    """Turn a full disk, a missing permission and their like into one line that names the file."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise ConfigurationError(f"{where}{error.strerror or error}") from error


def write_whole(file: Path, text: str, mode: int = 0o644) -> None:
    """Replace ``file`` so that a reader sees the old text or the new one, and a crash leaves one of them."""
    partial = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(3)}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            os.fchmod(out.fileno(), mode)
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        error.filename = file  # a full disk is reported without one
        raise
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def read_json(file: Path) -> dict[str, Any] | None:
    """The object in ``file``, or None when there is none (or it is broken, which `write_whole` rules out)."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None
