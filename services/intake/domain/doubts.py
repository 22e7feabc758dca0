"""What may happen to the doubts about a request: entries of its history, past tense. None holds a value or a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

LIKELY_DUPLICATE = "likely_duplicate"
"""The finding of a request that is likely one that came already. No rule of the file may have this code."""


@dataclass(frozen=True, slots=True)
class Doubted:
    """It was taken in, or changed, with findings that a person has to judge.

    Attributes:
        findings: code of each, and what it is about: the facts that a rule names, or in what duplicates are alike.
        duplicates: the requests that it is likely a duplicate of, the likest first.
    """

    TYPE: ClassVar[str] = "doubted"

    findings: Mapping[str, tuple[str, ...]]
    duplicates: tuple[UUID, ...] = ()


def likely_duplicates(changes: Iterable[object]) -> frozenset[UUID]:
    """The requests that it is, or was, likely a duplicate of, by what happened to it."""
    return frozenset(one for change in changes if isinstance(change, Doubted) for one in change.duplicates)


@dataclass(frozen=True, slots=True)
class FindingConfirmed:
    """A person says that the data are wrong.

    Attributes:
        rule: code of the finding.
    """

    TYPE: ClassVar[str] = "finding_confirmed"

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class FindingDismissed:
    """A person says that the doubt was without cause.

    Attributes:
        rule: code of the finding.
    """

    TYPE: ClassVar[str] = "finding_dismissed"

    rule: str
    reason: str
