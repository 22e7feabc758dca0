"""Who is signed in where: kept in the user's configuration folder, closed to everybody else."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import typer
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from punctual.local.folders import readable_errors, write_whole
from shared.errors import ConfigurationError


class SignIn(BaseModel):
    """A person's tokens for one service address; they are sent nowhere else.

    Attributes:
        expires_at: of the access token, real time.
        refresh_token: None where the issuer gives none; then the sign-in ends with the access token.
    """

    model_config = ConfigDict(frozen=True)

    issuer: str
    client_id: str
    access_token: str
    refresh_token: str | None
    expires_at: AwareDatetime

    def is_good_at(self, now: datetime) -> bool:
        """With some seconds left for the way."""
        return (self.expires_at - now).total_seconds() > 30  # noqa: PLR2004


_CONTENT = TypeAdapter(dict[str, SignIn])


class SignInFile:
    """Service address -> sign-in."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "sign-ins.json"

    @classmethod
    def of_the_user(cls) -> SignInFile:
        """In the folder that the system has for settings; on Linux ``XDG_CONFIG_HOME``, else ``~/.config``."""
        return cls(Path(typer.get_app_dir("punctual")))

    def find(self, address: str) -> SignIn | None:
        return self._read().get(_plain(address))

    def put(self, address: str, sign_in: SignIn) -> None:
        self._write({**self._read(), _plain(address): sign_in})

    def remove(self, address: str) -> SignIn | None:
        """What was removed."""
        kept = self._read()
        removed = kept.pop(_plain(address), None)
        if removed is not None:
            self._write(kept)
        return removed

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Two commands at once must not spend the same refresh token: the issuer would take one for a thief."""
        with readable_errors():
            self._make_folder()
            lock = self._file.with_suffix(".lock").open("a")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make_folder(self) -> None:
        if not self._file.parent.is_dir():
            self._file.parent.mkdir(mode=0o700, parents=True)

    def _read(self) -> dict[str, SignIn]:
        with readable_errors():
            content = self._file.read_bytes() if self._file.exists() else b"{}"
        try:
            return _CONTENT.validate_json(content)
        except ValidationError:
            raise ConfigurationError(f"{self._file} cannot be read; remove it and sign in again") from None

    def _write(self, sign_ins: dict[str, SignIn]) -> None:
        content = {address: sign_in.model_dump(mode="json") for address, sign_in in sign_ins.items()}
        with readable_errors():
            self._make_folder()
            write_whole(self._file, json.dumps(content, indent=1) + "\n", mode=0o600)


def _plain(address: str) -> str:
    return address.rstrip("/")
