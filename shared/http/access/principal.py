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


Kind = Literal["channel", "staff", "service"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller who was recognised.

    Attributes:
        subject: what the issuer knows the caller by and never gives to another; for an API key its name.
        name: what people know the caller by; kept with what the caller did.
        roles: empty for a channel.
        teams: as the issuer names them.
        scopes: what the token was issued for; empty for an API key.
    """

    subject: str
    name: str
    kind: Kind
    roles: frozenset[StaffRole] = frozenset()
    teams: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()

    @property
    def visible_channel(self) -> str | None:
        """Whose requests the caller may see: a channel its own, everybody else all (None)."""
        return self.name if self.kind == "channel" else None
