"""Reads who somebody is from the claims of a checked token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from shared.errors import ConfigurationError
from shared.http.access.principal import Principal, StaffRole
from shared.http.access.tokens import TokenRefused
from shared.http.own_names import OWN_NAMES

_NAME = re.compile(r"\S{1,128}")


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Where an issuer puts what we need.

    Attributes:
        roles, teams: names of claims; ``a.b`` is the claim b inside the claim a, unless there is one of that name.
        name: of what people know the person by; the subject where it is missing.
        role_names: the issuer's name of a role -> ours. When there are any, no other name counts: that an issuer calls
            somebody an administrator of something else must not make one here.
    """

    roles: str = "roles"
    teams: str = "teams"
    name: str = "preferred_username"
    role_names: Mapping[str, StaffRole] = field(default_factory=lambda: {role.value: role for role in StaffRole})


def role_names_of(given: Mapping[str, str]) -> Mapping[str, StaffRole]:
    """The mapping a setting gives; our own names where it gives none.

    Raises:
        ConfigurationError: it leads to a role that does not exist.
    """
    ours = {role.value: role for role in StaffRole}
    for theirs, name in given.items():
        if name not in ours:
            raise ConfigurationError(
                f"PUNCTUAL_OIDC_ROLE_NAMES: {theirs!r} leads to {name!r}, which is not one of {', '.join(ours)}"
            )
    return {theirs: ours[name] for theirs, name in given.items()} or ours


def read_principal(claims: Mapping[str, Any], names: ClaimNames) -> Principal:
    """Who the token speaks of. Roles we do not know are left out: they are meant for other systems.

    Raises:
        TokenRefused: the subject is not usable, or the name is one of the system itself.
    """
    subject = claims["sub"]
    if not is_name(subject):
        raise TokenRefused("malformed", "The token's subject cannot be used")
    called = _find(claims, names.name)
    name = called if is_name(called) else subject
    if name in OWN_NAMES:
        raise TokenRefused("reserved_name", "The token's name is one that the system itself signs with")
    is_service = subject in (claims.get("client_id"), claims.get("azp"))  # RFC 9068: a client on its own behalf
    return Principal(
        subject=subject,
        name=name,
        kind="service" if is_service else "staff",
        roles=frozenset(
            names.role_names[role] for role in _words(_find(claims, names.roles)) if role in names.role_names
        ),
        teams=frozenset(_words(_find(claims, names.teams))),
        scopes=frozenset(_words(claims.get("scope"), separator=" ")),
    )


def is_name(claim: Any) -> TypeGuard[str]:
    """Whether people can be known by it: an address is a name, too."""
    return isinstance(claim, str) and claim.isprintable() and _NAME.fullmatch(claim) is not None


def _find(claims: Mapping[str, Any], name: str) -> Any:
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _words(value: Any, separator: str | None = None) -> list[str]:
    """A list of texts; a single text stands for a list of one, or of its parts."""
    if isinstance(value, str):
        return [word for word in value.split(separator) if word] if separator else [value]
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []
