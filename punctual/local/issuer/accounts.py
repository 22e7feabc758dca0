"""Local accounts: a file with argon2id hashes of their passwords."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from punctual.local.folders import readable_errors, write_whole
from shared.errors import ConfigurationError
from shared.ids import new_id, new_secret

_LONGEST_PASSWORD = 1024  # characters; hashing more is work for nobody's good


class Account(BaseModel):
    """Attributes:
    subject: never given to another account, whatever becomes of the name.
    password: an argon2id hash with its parameters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9._-]{0,63}$")
    subject: str = Field(min_length=1, max_length=64)
    roles: tuple[str, ...]
    teams: tuple[str, ...] = ()
    password: str = Field(pattern=r"^\$argon2id\$")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accounts: list[Account]


class AccountBook:
    """Args:
    hasher: its parameters are for new hashes; a hash brings its own.
    """

    def __init__(self, accounts: Sequence[Account], hasher: PasswordHasher) -> None:
        self._accounts = {account.name: account for account in accounts}
        self._hasher = hasher
        # Unknown names are checked against this, so that the time of an answer does not tell which names there are.
        self._nobody = hasher.hash(new_secret())

    @classmethod
    def load(cls, file: Path, hasher: PasswordHasher | None = None) -> AccountBook:
        """Raises ConfigurationError: the file cannot be read; names it and the field."""
        return cls(_read(file), hasher or PasswordHasher())

    def find(self, name: str) -> Account | None:
        return self._accounts.get(name)

    def check(self, name: str, password: str) -> Account | None:
        """The account, if this is its password. Takes some 50 ms and 64 MiB, whoever asks for whatever."""
        account = self._accounts.get(name)
        try:
            self._hasher.verify(account.password if account else self._nobody, password[:_LONGEST_PASSWORD])
        except (VerificationError, InvalidHashError):
            return None
        return account


def add_missing(
    file: Path,
    passwords: Mapping[str, str],
    roles: Mapping[str, tuple[str, ...]],
    teams: Mapping[str, tuple[str, ...]],
    hasher: PasswordHasher | None = None,
) -> None:
    """Make the accounts that the file does not have yet; those it has stay as they are.

    Args:
        passwords: account -> password in plain text.
    """
    kept = _read(file) if file.exists() else []
    missing = passwords.keys() - {account.name for account in kept}
    if not missing:
        return
    hasher = hasher or PasswordHasher()
    made = [
        Account(
            name=name,
            subject=str(new_id()),
            roles=roles[name],
            teams=teams.get(name, ()),
            password=hasher.hash(passwords[name]),
        )
        for name in passwords
        if name in missing
    ]
    content = {"accounts": [account.model_dump(mode="json") for account in [*kept, *made]]}
    with readable_errors():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps(content, indent=1) + "\n", mode=0o600)


def _read(file: Path) -> list[Account]:
    with readable_errors():
        content = file.read_bytes()
    try:
        return _File.model_validate_json(content).accounts
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ConfigurationError(f"{file}: {where}: {first['msg']}") from None
