"""Postgres refuses to run as root, so root lends it an account without privileges."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ConfigurationError


@dataclass(frozen=True)
class Account:
    """Who a child runs as."""

    name: str
    uid: int
    gid: int


def unprivileged_account(preferred: str | None = None) -> Account | None:
    """The account for Postgres; None when we are no root and it simply runs as we do.

    It must have a name: initdb looks its own account up and stops when there is none.
    """
    if os.geteuid() != 0:
        return None
    for name in (preferred,) if preferred else ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    if preferred:
        raise ConfigurationError(f"PUNCTUAL_POSTGRES_ACCOUNT: there is no account {preferred!r} without root rights")
    raise ConfigurationError(
        "Postgres does not run as root and this machine has neither an account `postgres` nor `nobody`; "
        "name one with PUNCTUAL_POSTGRES_ACCOUNT"
    )


def can_reach(account: Account | None, path: Path) -> bool:
    """Whether ``account`` may pass through every folder down to ``path``, itself included."""
    if account is None:
        return os.access(path, os.X_OK)
    way = path.resolve()
    return all(_may_pass(account, folder.stat()) for folder in (way, *way.parents))


def _may_pass(account: Account, folder: os.stat_result) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == account.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)
