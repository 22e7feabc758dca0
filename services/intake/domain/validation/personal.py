"""Attributes whose names are those of personal data are refused: attributes lie plain in histories and events."""

from __future__ import annotations

from collections.abc import Iterable

from services.intake.domain.validation.book import Finding, Severity
from services.intake.domain.validation.personal_names import PersonalNames, fold
from shared.rules.document import Document, Field
from shared.rules.words import read_word

PERSONAL_ATTRIBUTE = "personal_attribute"
"""The finding about such a name. No rule of the file may have this code."""

MESSAGE = (
    "is personal and no fact of the case: attributes are stored plain and told in events."
    " Say it in `customer` or in a text such as `description`, which are encrypted"
)


def read_names(document: Document, field: Field) -> dict[str, str]:
    """The names of a list by what they are compared by. Complaints are collected."""
    found: dict[str, str] = {}
    for entry in field.items():
        with document.collecting():
            name = entry.parse(read_word)
            if fold(name) in found:
                raise entry.fail(f"{name} is as good as {found[fold(name)]}, which is there already")
            found[fold(name)] = name
    return found


def find_personal(personal: PersonalNames, names: Iterable[str], where: str = "attributes") -> list[Finding]:
    """A finding for each name that is refused, in their order.

    Args:
        where: the field of the body that the names stand in.
    """
    return [
        Finding(PERSONAL_ATTRIBUTE, Severity.REFUSE, f"{where}.{name}", MESSAGE)
        for name in names
        if personal.is_personal(name)
    ]
