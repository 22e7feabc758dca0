"""Refresh tokens: each is good for once, and one that comes twice ends the session it belongs to (RFC 9700)."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from punctual.local.folders import readable_errors, write_whole
from shared.ids import new_secret, new_token

SESSION = timedelta(hours=12)
"""A working day; then the password is asked for again, however often tokens were renewed."""


class Session(BaseModel):
    """Attributes:
    current: SHA-256 of the only refresh token that is good now.
    """

    account: str
    client_id: str
    scope: str
    signed_in_at: int
    ends_at: AwareDatetime
    current: str


_CONTENT = TypeAdapter(dict[str, Session])


class Sessions:
    """Kept in a file, so that a restart signs nobody out."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._sessions: dict[str, Session] = {}
        with readable_errors():
            content = file.read_bytes() if file.exists() else b"{}"
        try:
            self._sessions = _CONTENT.validate_json(content)
        except ValidationError:
            self._sessions = {}  # whoever is affected signs in again

    def begin(self, account: str, client_id: str, scope: str, signed_in_at: int, now: datetime) -> tuple[str, str]:
        """A new session: its name and its first refresh token."""
        name, secret = new_token(), new_secret()
        self._sessions = {kept: session for kept, session in self._sessions.items() if session.ends_at > now}
        self._sessions[name] = Session(
            account=account,
            client_id=client_id,
            scope=scope,
            signed_in_at=signed_in_at,
            ends_at=now + SESSION,
            current=_hash(secret),
        )
        self._keep()
        return name, f"{name}.{secret}"

    def renew(self, token: str, client_id: str, now: datetime) -> tuple[Session, str] | None:
        """The session with its next refresh token; None when the token is not good.

        A token that was good once is in the hands of two. Nobody knows which of them is the thief: both are out.
        """
        name, _, secret = token.partition(".")
        session = self._sessions.get(name)
        if session is None or session.client_id != client_id or session.ends_at <= now:
            return None
        if not secrets.compare_digest(session.current, _hash(secret)):
            self.end(name)
            return None
        following = new_secret()
        session.current = _hash(following)
        self._keep()
        return session, f"{name}.{following}"

    def end(self, name: str) -> None:
        if self._sessions.pop(name, None) is not None:
            self._keep()

    def _keep(self) -> None:
        content = {name: session.model_dump(mode="json") for name, session in self._sessions.items()}
        with readable_errors():
            write_whole(self._file, json.dumps(content) + "\n", mode=0o600)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
