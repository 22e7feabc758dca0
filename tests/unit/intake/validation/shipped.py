"""The validation file that is shipped, and small ones made for a test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from textwrap import indent

import services.intake
from services.intake.domain.validation.book import Finding, ValidationBook
from services.intake.domain.validation.checking import check
from services.intake.domain.validation.facts import SubmittedFacts
from services.intake.domain.validation.reading import read_validation
from shared.contracts.payload import AttributeValue, Market, RequestKind

FILE = Path(services.intake.__file__).with_name("data") / "validation.yml"
TEXT = FILE.read_text(encoding="utf-8")
BOOK = read_validation(TEXT, FILE.name)

HEAD, _, _REST = TEXT.partition("schemas:\n")
LIMITS = "duplicates:\n" + TEXT.partition("\nduplicates:\n")[2]

SUBMITTED_AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)  # 09:30 in Hong Kong


def text_of(schemas: str) -> str:
    """A whole file with these schemas; they begin on the line after ``schemas:``."""
    return f"{HEAD}schemas:\n{indent(schemas, '  ')}\n{LIMITS}"


def rules_text(*rules: str, scope: str = "kind: claim") -> str:
    """A whole file with one schema of these rules, each written in braces."""
    head = f"- schema: one\n  {scope}\n" if scope else "- schema: one\n"
    return text_of(head + "  rules:\n" + "".join(f"  - {rule}\n" for rule in rules))


@cache
def book_of(*rules: str, scope: str = "kind: claim") -> ValidationBook:
    return read_validation(rules_text(*rules, scope=scope), "validation.yml")


def rule(check_text: str, code: str = "a_rule", severity: str = "refuse") -> str:
    return f"{{rule: {code}, severity: {severity}, message: is wrong, {check_text}}}"


def facts(
    attributes: Mapping[str, AttributeValue] | None = None,
    *,
    kind: str = "claim",
    market: str = "HK",
    line: str | None = "motor",
) -> SubmittedFacts:
    return SubmittedFacts(RequestKind(kind), Market(market), "app", product_line=line, attributes=attributes or {})


def found(book: ValidationBook, about: SubmittedFacts, submitted_at: datetime = SUBMITTED_AT) -> tuple[Finding, ...]:
    return check(book, about, submitted_at=submitted_at, recorded_at=submitted_at)


def codes(book: ValidationBook, about: SubmittedFacts, submitted_at: datetime = SUBMITTED_AT) -> list[str]:
    return [finding.rule for finding in found(book, about, submitted_at)]
