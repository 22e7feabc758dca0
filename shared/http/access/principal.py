"""Who calls: a person of the staff, a channel system, or a service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class StaffRole(StrEnum):
    """What members of staff are to the system. A person may have several."""

    HANDLER = "handler"
    TEAM_LEADER = "team_leader"
    QUALITY_REVIEWER = "quality_reviewer"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


OVERSEERS = frozenset({StaffRole.QUALITY_REVIEWER, StaffRole.MANAGER, StaffRole.ADMINISTRATOR, StaffRole.AUDITOR})
"""Who looks at the work of all teams, and does not do it: they see every request, and what was chosen for a review."""

Kind = Literal["channel", "staff", "service"]


class Scope(StrEnum):
    """What a key may be used for, beside what its role allows. A matrix names for each route the one it needs."""

    SUBMIT = "submit"
    BATCH = "batch"
    MOVE = "move"
    FEEDBACK = "feedback"
    READ = "read"
    TEXTS = "texts"
    PROCESSES = "processes"
    QUALITY = "quality"
    VERIFY = "verify"
    KEYS = "keys"
    AUDIT = "audit"
    PRIVACY = "privacy"


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What holds for the API key that a caller came with.

    Attributes:
        key: tells keys apart, also two of one name; no secret.
        scopes: None for a key that may be used for whatever its role allows.
        rate_per_second, burst: None where the key says nothing of its own.
    """

    key: str
    scopes: frozenset[Scope] | None = None
    rate_per_second: float | None = None
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller who was recognised.

    Attributes:
        subject: what the issuer knows the caller by and never gives to another; for an API key its name.
        name: what people know the caller by; kept with what the caller did.
        roles: empty for a channel.
        teams: as the issuer names them.
        scopes: what the token was issued for; empty for an API key.
        terms: of the API key; None for a token.
    """

    subject: str
    name: str
    kind: Kind
    roles: frozenset[StaffRole] = frozenset()
    teams: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    terms: KeyTerms | None = None

    @property
    def visible_channel(self) -> str | None:
        """Whose requests the caller may see: a channel its own, everybody else all (None)."""
        return self.name if self.kind == "channel" else None

    @property
    def visible_teams(self) -> frozenset[str] | None:
        """Whose requests the caller may see beside what no team has; None: all. It bounds who handles or leads.

        No team in the token means no team: issuers leave groups out when there are too many, and that must not open
        everything.
        """
        return None if self.kind != "staff" or self.roles & OVERSEERS else self.teams
