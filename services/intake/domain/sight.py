"""What a caller is shown of other requests in the history of one: only those that the caller sees.

A likely duplicate may have come by another channel, or belong to another team. A channel that is shown that there is
one could find out who else has claims, by submitting what it guesses; so it is shown the finding only where one of the
requests meant is its own. Staff have to judge the finding and are always shown that it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.intake.domain.changes import Absorbed, Complained, Merged, Split, Submitted
from services.intake.domain.doubts import LIKELY_DUPLICATE, Doubted, FindingConfirmed, FindingDismissed
from services.intake.domain.history import Entry
from services.intake.domain.visibility import EVERYTHING, Visibility

RELATING: Mapping[str, tuple[str, ...]] = {
    Submitted.TYPE: ("split_from", "about"),
    Merged.TYPE: ("into_request_id",),
    Absorbed.TYPE: ("from_request_id",),
    Split.TYPE: ("into_request_id",),
    Complained.TYPE: ("complaint_request_id",),
}
"""Of each type of entry the members that name a related request. ``Doubted`` names likely duplicates beside."""

_JUDGEMENTS = frozenset({FindingConfirmed.TYPE, FindingDismissed.TYPE})

SAYING_OF_OTHERS = frozenset({Doubted.TYPE, *RELATING, *_JUDGEMENTS})
"""Entries of all other types are shown alike to whoever sees the request."""


def names_others(history: Iterable[Entry]) -> bool:
    """Whether it says anything about other requests."""
    for entry in history:
        change = entry.change
        if isinstance(change, Doubted):
            if change.duplicates:
                return True
        elif any(getattr(change, member) is not None for member in RELATING.get(change.TYPE, ())):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Sight:
    """How a caller sees the history of one request, which is visible itself.

    Attributes:
        duplicates, related: of the other requests that the history names, the ids of those that the caller sees, as the
            data of entries write them. They mean nothing for who sees everything.
    """

    visibility: Visibility
    duplicates: frozenset[str] = frozenset()
    related: frozenset[str] = frozenset()

    def shows_finding(self, rule: str) -> bool:
        return rule != LIKELY_DUPLICATE or self.visibility.channel is None or bool(self.duplicates)

    def shown_data(self, entry_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Of the data of an entry, as JSON types, what the caller is shown. The entry itself always is."""
        if self.visibility == EVERYTHING:
            return dict(data)
        if entry_type == Doubted.TYPE:
            return self._doubted(data)
        if entry_type in _JUDGEMENTS:
            return dict(data) if self.shows_finding(data["rule"]) else {}
        hidden = {name for name in RELATING.get(entry_type, ()) if not self._sees_related(data.get(name))}
        return {name: given for name, given in data.items() if name not in hidden}

    def _sees_related(self, named: str | None) -> bool:
        return named is None or named in self.related

    def _doubted(self, data: Mapping[str, Any]) -> dict[str, Any]:
        named = data.get("duplicates", ())
        duplicates = [each for each in named if each in self.duplicates]
        findings = {rule: about for rule, about in data["findings"].items() if self.shows_finding(rule)}
        if LIKELY_DUPLICATE in findings and duplicates[:1] != list(named[:1]):
            findings[LIKELY_DUPLICATE] = []  # in what it is like the likest, which is hidden
        shown = {"findings": findings, "duplicates": duplicates}
        return {name: given for name, given in shown.items() if given}
