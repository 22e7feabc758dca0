"""An API key of a channel system or of a program of the house: ``pk_<prefix>_<secret>``."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from shared.contracts.payload import LATEST
from shared.http.access.principal import KeyTerms, Principal, Scope, StaffRole

Role = Literal["channel", "staff"]
KeyState = Literal["good", "expired", "revoked"]

SCOPES_OF_CHANNELS = frozenset({Scope.SUBMIT, Scope.BATCH, Scope.MOVE, Scope.FEEDBACK, Scope.READ, Scope.TEXTS})

OVERLAP = timedelta(days=7)
"""How long a key that was replaced goes on working: a channel system is deployed once a week at least."""

_KEY = re.compile(r"pk_([2-9A-Z]{8})_([A-Za-z0-9_-]{43})")  # 43 characters carry 256 bits


@dataclass(frozen=True, slots=True)
class ApiKey:
    """All instants are real time.

    Attributes:
        prefix: what people and look-ups know the key by; no secret.
        secret_hash: SHA-256, 32 bytes.
        name: of the channel or the program.
        rate_per_second, burst: None where the house's settings count.
        last_used_at: to the minute or so.
        replaces, replaced_by: prefixes, where keys were rotated.
        number: grows with every key.
    """

    prefix: str
    secret_hash: bytes = field(repr=False)
    name: str
    role: Role
    scopes: frozenset[Scope]
    rate_per_second: float | None
    burst: int | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None
    replaces: str | None
    replaced_by: str | None
    number: int

    def state(self, now: datetime) -> KeyState:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "good"

    def fits(self, secret: str) -> bool:
        """Takes as long for a secret that is nearly right as for any other."""
        return hmac.compare_digest(self.secret_hash, hash_secret(secret))

    def principal(self) -> Principal:
        """Who calls with it: a channel, or a service that administers as far as the scopes go."""
        terms = KeyTerms(self.prefix, self.scopes, self.rate_per_second, self.burst)
        if self.role == "channel":
            return Principal(self.name, self.name, "channel", terms=terms)
        return Principal(self.name, self.name, "service", frozenset({StaffRole.ADMINISTRATOR}), terms=terms)


def hash_secret(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def write_key(prefix: str, secret: str) -> str:
    """The text that the holder sends."""
    return f"pk_{prefix}_{secret}"


def read_key(text: str) -> tuple[str, str] | None:
    """Prefix and secret; None for what is no such key."""
    found = _KEY.fullmatch(text)
    return None if found is None else (found[1], found[2])


def overlap_end(old: ApiKey, now: datetime, overlap: timedelta) -> datetime:
    """Until when a replaced key works; never longer than it would have."""
    end = now + overlap
    return end if old.expires_at is None else min(end, old.expires_at)


def next_expiry(old: ApiKey, now: datetime) -> datetime | None:
    """Until when the key that follows works: as long from now as the old one from its beginning, in the year 9999 at
    the latest.
    """
    if old.expires_at is None:
        return None
    return now + min(old.expires_at - old.created_at, LATEST - now)
