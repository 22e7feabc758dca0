"""Templates without logic: a subject, lines of facts, paragraphs; slots such as ``${reference}`` and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

from services.notifier.domain.wording.terms import Terms
from services.notifier.domain.words import NoticeKind
from shared.contracts.payload import Language
from shared.errors import ConfigurationError

TERM = "term."
"""Slots with this prefix are words of the term layer: ``${term.reference}``."""

_EVERYWHERE = frozenset({"reference", "kind"})
_CUSTOMER = _EVERYWHERE | {"name", "status_link", "submitted_at"}
_STAFF = _EVERYWHERE | {"objective", "due_at", "status_link"}

SLOTS: Mapping[NoticeKind, frozenset[str]] = {
    NoticeKind.RECEIVED: _CUSTOMER | {"expected_by"},
    NoticeKind.DOCUMENTS_NEEDED: _CUSTOMER | {"documents"},
    NoticeKind.EXPECTED_TIME_CHANGED: _CUSTOMER | {"expected_by", "previous_expected_by"},
    NoticeKind.CLOSED: _CUSTOMER | {"outcome"},
    NoticeKind.REOPENED: _CUSTOMER,
    NoticeKind.CANCELLED: _CUSTOMER,
    NoticeKind.MERGED: _CUSTOMER,
    NoticeKind.WARNING: _STAFF | {"level"},
    NoticeKind.BREACH: _STAFF,
    NoticeKind.ESCALATION: _STAFF | {"level"},
    NoticeKind.BREACH_WITHDRAWN: _STAFF | {"stopped_at"},
    NoticeKind.REMINDER: _EVERYWHERE | {"stage", "entered_at", "level", "status_link"},
    NoticeKind.PAUSE_OVERRUN: _EVERYWHERE | {"objective", "paused_at", "pause_reason", "level", "status_link"},
}
"""Which facts each kind has."""

REQUIRED: Mapping[NoticeKind, frozenset[str]] = {
    NoticeKind.RECEIVED: frozenset({"reference", "expected_by", "status_link"}),
    NoticeKind.DOCUMENTS_NEEDED: frozenset({"reference", "documents", "status_link"}),
    NoticeKind.EXPECTED_TIME_CHANGED: frozenset({"reference", "expected_by", "previous_expected_by", "status_link"}),
    NoticeKind.CLOSED: frozenset({"reference", "outcome", "status_link"}),
    NoticeKind.REOPENED: frozenset({"reference", "status_link"}),
    NoticeKind.CANCELLED: frozenset({"reference", "status_link"}),
    NoticeKind.MERGED: frozenset({"reference", "status_link"}),
    NoticeKind.WARNING: frozenset({"reference", "objective", "due_at"}),
    NoticeKind.BREACH: frozenset({"reference", "objective", "due_at"}),
    NoticeKind.ESCALATION: frozenset({"reference", "objective", "due_at", "level"}),
    NoticeKind.BREACH_WITHDRAWN: frozenset({"reference", "objective", "due_at"}),
    NoticeKind.REMINDER: frozenset({"reference", "stage", "entered_at"}),
    NoticeKind.PAUSE_OVERRUN: frozenset({"reference", "objective", "paused_at", "pause_reason"}),
}
"""What each kind must tell; a template that leaves one out is refused."""


OPTIONAL: Mapping[NoticeKind, frozenset[str]] = {
    NoticeKind.RECEIVED: frozenset({"expected_by"}),
    NoticeKind.EXPECTED_TIME_CHANGED: frozenset({"previous_expected_by"}),
}
"""What a notice may have to go without, so it stands in facts alone: a request can be over before a time is known."""


class Slots(Template):
    """``${word}`` and ``${term.word}``; a lone ``$`` is refused by validation, ``$$`` stands for itself."""

    idpattern = r"(?!)"  # matches nothing: the plain form $word does not exist here
    braceidpattern = r"(?-i:[a-z_]+(?:\.[a-z_]+)?)"


@dataclass(frozen=True, slots=True)
class NoticeTemplate:
    """Attributes:
    facts: label and value, shown as lines in text and as a table in HTML.
    opening, closing: paragraphs before and after the facts.
    """

    subject: Slots
    opening: tuple[Slots, ...]
    facts: tuple[tuple[Slots, Slots], ...]
    closing: tuple[Slots, ...]

    @property
    def parts(self) -> tuple[Slots, ...]:
        return (self.subject, *self.opening, *(part for fact in self.facts for part in fact), *self.closing)


Templates = Mapping[tuple[Language, NoticeKind], NoticeTemplate]


def parse_templates(document: Any, terms: Terms, file: str) -> dict[NoticeKind, NoticeTemplate]:
    """Read one language's file: a mapping of notice kind to ``{subject, opening, facts, closing}``.

    Raises:
        ConfigurationError: names the file, the kind and the field; also when a slot is unknown or a needed one missing.
    """
    if not isinstance(document, dict) or set(document) != set(NoticeKind):
        raise ConfigurationError(f"{file}: must have exactly the kinds {', '.join(NoticeKind)}")
    return {kind: _template(document[kind], kind, terms, f"{file}: {kind}") for kind in NoticeKind}


def _template(entry: Any, kind: NoticeKind, terms: Terms, where: str) -> NoticeTemplate:
    if not isinstance(entry, dict) or set(entry) != {"subject", "opening", "facts", "closing"}:
        raise ConfigurationError(f"{where}: must have exactly the fields subject, opening, facts, closing")
    template = NoticeTemplate(
        subject=_slots(entry["subject"], kind, terms, f"{where}.subject"),
        opening=_paragraphs(entry["opening"], kind, terms, f"{where}.opening"),
        facts=_facts(entry["facts"], kind, terms, f"{where}.facts"),
        closing=_paragraphs(entry["closing"], kind, terms, f"{where}.closing"),
    )
    used = {name for part in template.parts for name in part.get_identifiers()}
    missing = REQUIRED[kind] - used
    if missing:
        raise ConfigurationError(f"{where}: does not tell ${{{min(missing)}}}")
    facts = {part for fact in template.facts for part in fact}
    told = {name for part in template.parts if part not in facts for name in part.get_identifiers()}
    if misplaced := OPTIONAL.get(kind, frozenset()) & told:
        raise ConfigurationError(f"{where}: ${{{min(misplaced)}}} may be missing, so it may stand in facts only")
    if "name" in template.subject.get_identifiers():
        raise ConfigurationError(f"{where}.subject: a name may not stand in a subject")
    return template


def _paragraphs(entry: Any, kind: NoticeKind, terms: Terms, where: str) -> tuple[Slots, ...]:
    if not isinstance(entry, list) or not entry:
        raise ConfigurationError(f"{where}: must be a list of paragraphs")
    return tuple(_slots(text, kind, terms, f"{where}[{number}]") for number, text in enumerate(entry))


def _facts(entry: Any, kind: NoticeKind, terms: Terms, where: str) -> tuple[tuple[Slots, Slots], ...]:
    if not isinstance(entry, list) or not all(isinstance(fact, dict) and len(fact) == 1 for fact in entry):
        raise ConfigurationError(f"{where}: must be a list of `label: value`")
    pairs = [next(iter(fact.items())) for fact in entry]
    return tuple(
        (_slots(label, kind, terms, f"{where}[{number}]"), _slots(value, kind, terms, f"{where}[{number}]"))
        for number, (label, value) in enumerate(pairs)
    )


def _slots(text: Any, kind: NoticeKind, terms: Terms, where: str) -> Slots:
    if not isinstance(text, str) or not text.strip() or "\n" in text.strip():
        raise ConfigurationError(f"{where}: must be one line of text")
    slots = Slots(text.strip())
    if not slots.is_valid():
        raise ConfigurationError(f"{where}: a $ that opens no ${{slot}}; write $$ for the sign itself")
    for name in slots.get_identifiers():
        known = name.removeprefix(TERM) in terms if name.startswith(TERM) else name in SLOTS[kind]
        if not known:
            raise ConfigurationError(f"{where}: unknown slot ${{{name}}}")
    return slots
