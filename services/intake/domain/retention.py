"""How long personal data are kept: by kind, from the end of a request; of a customer's requests the longest counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.payload import RequestKind
from shared.rules.document import Document, refusing
from shared.rules.spans import read_span

FORMAT = "1"


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """Attributes:
    keep: for every kind how long after the end of a request what is held on its customer is kept.
    """

    keep: Mapping[RequestKind, timedelta]

    @property
    def shortest(self) -> timedelta:
        return min(self.keep.values())

    def until(self, ends: Mapping[RequestKind, datetime | None]) -> datetime | None:
        """When a customer's data are to be erased, business time; None while a request of theirs is not over.

        Args:
            ends: of each kind that the customer has requests of the last end; None when one is not over.
        """
        if any(ended_at is None for ended_at in ends.values()):
            return None
        return max((at + self.keep[kind] for kind, at in ends.items() if at is not None), default=None)


def read_retention(text: str, file: str) -> RetentionRules:
    """The rules of a text such as ``format: "1"`` and ``keep: {claim: 2557d, ...}`` with every kind.

    Args:
        file: the name to complain under.

    Raises:
        InvalidDocument: names the line and the field that is wrong.
    """
    with refusing(file):
        top = Document(text, file).root.members(frozenset({"format", "keep"}))
        if top["format"].text() != FORMAT:
            raise top["format"].fail(f"this program reads format {FORMAT}")
        kinds = top["keep"].members(frozenset(RequestKind))
        keep = {RequestKind(kind): field.parse(read_span) for kind, field in kinds.items()}
        return RetentionRules(keep)
