"""The roles directory: who reads the notices to a role, and in which language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.notifier.domain.addresses import is_deliverable
from services.notifier.domain.words import LONGEST_ROLE
from shared.contracts.payload import Language
from shared.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Role:
    addresses: tuple[str, ...]
    language: Language


RolesDirectory = Mapping[str, Role]


def parse_roles(document: Any, file: str) -> RolesDirectory:
    """Read ``roles: {<name>: {addresses: [...], language: ...}}``.

    Raises:
        ConfigurationError: names the file and the field.
    """
    roles = document.get("roles") if isinstance(document, dict) else None
    if not isinstance(roles, dict) or not roles:
        raise ConfigurationError(f"{file}: roles: must be a mapping of at least one role")
    if set(document) != {"roles"}:
        raise ConfigurationError(f"{file}: {min(map(str, set(document) - {'roles'}))}: unknown field")
    for name in roles:
        if len(str(name)) > LONGEST_ROLE:
            raise ConfigurationError(f"{file}: roles.{name}: the name must have at most {LONGEST_ROLE} characters")
    return {str(name): _role(entry, f"{file}: roles.{name}") for name, entry in roles.items()}


def _role(entry: Any, where: str) -> Role:
    if not isinstance(entry, dict) or set(entry) != {"addresses", "language"}:
        raise ConfigurationError(f"{where}: must have exactly the fields addresses and language")
    addresses = entry["addresses"]
    if not isinstance(addresses, list) or not addresses:
        raise ConfigurationError(f"{where}.addresses: must be a list of at least one address")
    for number, address in enumerate(addresses):
        if not isinstance(address, str) or not is_deliverable(address):
            raise ConfigurationError(f"{where}.addresses[{number}]: is not a mail address")
    if entry["language"] not in list(Language):  # whatever else stands there need not be hashable
        raise ConfigurationError(f"{where}.language: must be one of {', '.join(Language)}")
    return Role(tuple(addresses), Language(entry["language"]))
