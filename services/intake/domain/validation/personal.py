"""Names of attributes that would hold personal data. They are refused: attributes lie plain in histories and events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from services.intake.domain.validation.book import Finding, Severity
from shared.rules.document import Document, Field
from shared.rules.words import read_word

PERSONAL_ATTRIBUTE = "personal_attribute"
"""The finding about such a name. No rule of the file may have this code."""

MESSAGE = (
    "is personal and no fact of the case: attributes are stored plain and told in events."
    " Say it in `customer` or in a text such as `description`, which are encrypted"
)

_SEPARATORS = str.maketrans("", "", "_.:/-")


@lru_cache(maxsize=1024)  # a channel sends the same few names with every request
def fold(name: str) -> str:
    """What ``Birth-Date``, ``birth_date`` and ``birthDate`` have in common."""
    return name.lower().translate(_SEPARATORS)


def read_personal(document: Document, field: Field) -> dict[str, str]:
    """The names by what they are compared by. Complaints are collected."""
    found: dict[str, str] = {}
    for entry in field.items():
        with document.collecting():
            name = entry.parse(read_word)
            if fold(name) in found:
                raise entry.fail(f"{name} is as good as {found[fold(name)]}, which is there already")
            found[fold(name)] = name
    return found


def find_personal(personal: Mapping[str, str], names: Iterable[str], where: str = "attributes") -> list[Finding]:
    """A finding for each name that is refused, in their order.

    Args:
        personal: as ``read_personal`` gives them.
        where: the field of the body that the names stand in.
    """
    return [
        Finding(PERSONAL_ATTRIBUTE, Severity.REFUSE, f"{where}.{name}", MESSAGE)
        for name in names
        if fold(name) in personal
    ]
