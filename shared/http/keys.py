"""API keys: who calls, and as what. Only hashes are kept; keys carry 256 bits, so a plain SHA-256 is enough."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from shared.errors import ConfigurationError
from shared.http.own_names import require_other_name
from shared.http.problems import Problem

Role = Literal["channel", "staff"]


class Caller(BaseModel):
    """Attributes:
    name: of the channel system or staff tool.
    role: ``channel`` posts requests and sees its own, ``staff`` sees and does everything.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    role: Role


class ApiKey(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$"), AfterValidator(require_other_name)]
    role: Role
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: list[ApiKey]


class KeyRing:
    """The keys a service accepts."""

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._callers = {key.sha256: Caller(name=key.name, role=key.role) for key in keys}

    @classmethod
    def load(cls, path: Path | None) -> KeyRing:
        """Read the JSON file ``{"keys": [{"name", "role", "sha256"}]}``.

        Raises:
            ConfigurationError: no file is set, or it cannot be read; names the file and the field.
        """
        if path is None:
            raise ConfigurationError("PUNCTUAL_API_KEYS_FILE is not set; without keys nobody could call")
        try:
            return cls(_KeyFile.model_validate_json(path.read_bytes()).keys)
        except OSError as error:
            raise ConfigurationError(f"{path}: {error.strerror}") from None
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise ConfigurationError(f"{path}: {where}: {first['msg']}") from None

    def find(self, key: str) -> Caller | None:
        """Whose key it is. The look-up is by hash, so its timing tells nothing about a key."""
        return self._callers.get(hash_key(key))

    def authenticate(self, header: str | None) -> Caller:
        """Who sent ``Authorization: Bearer <key>``.

        Raises:
            Problem: 401.
        """
        scheme, _, key = (header or "").partition(" ")
        caller = self.find(key.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            raise Problem(
                401,
                "key_required",
                "A valid API key is required",
                "Send it as 'Authorization: Bearer <key>'.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return caller


def hash_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
