"""Which names say who somebody is: ``owner_name`` and ``driverPhone`` do, ``product_name`` does not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SEPARATORS = str.maketrans("", "", "_.:/-")
_OF = "of"


@dataclass(frozen=True, slots=True)
class PersonalNames:
    """Names of personal data, and exceptions. Both stand for every name that ends in them; the longest ending counts.

    Attributes:
        names: of personal data, by what they are compared by.
        harmless: the same for names that end like personal ones and are not.
    """

    names: Mapping[str, str]
    harmless: Mapping[str, str] = field(default_factory=dict)

    def is_personal(self, name: str) -> bool:
        """Whether nothing that lies plain may have this name: an attribute, or what a control point records."""
        for ending in _endings(name):
            if ending in self.harmless:
                return False
            if ending in self.names:
                return True
        return False


def fold(name: str) -> str:
    """What ``Birth-Date``, ``birth_date`` and ``birthDate`` have in common."""
    return name.lower().translate(_SEPARATORS)


@lru_cache(maxsize=1024)  # a channel sends the same few names with every request
def _endings(name: str) -> tuple[str, ...]:
    """The last parts of a name, the longest ending first, as they are compared; ``phone_2`` ends in ``phone``, too."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    count = len(parts)
    while count and parts[count - 1].isdecimal():
        count -= 1
    return _endings_of(parts) if count == len(parts) else _endings_of(parts) + _endings_of(parts[:count])


def _endings_of(parts: Sequence[str]) -> tuple[str, ...]:
    if _OF not in parts[1:-1]:
        return _joined(parts, len(parts))
    # The word before `of` says what it is: the name of an owner is a name, the proof of an address is a proof.
    at = parts.index(_OF, 1)
    return _joined(parts, at) + _joined([*parts[at + 1 :], *parts[:at]], len(parts) - 1)


def _joined(parts: Sequence[str], count: int) -> tuple[str, ...]:
    """The endings that begin with one of the first ``count`` parts."""
    return tuple("".join(parts[start:]) for start in range(count))
