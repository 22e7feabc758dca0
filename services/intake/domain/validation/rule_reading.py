"""Reads one rule of validation.yml."""

from __future__ import annotations

from collections.abc import Callable

from services.intake.domain.doubts import LIKELY_DUPLICATE
from services.intake.domain.validation.book import (
    Check,
    Compares,
    Forbids,
    HasTypes,
    Must,
    Requires,
    Rule,
    Severity,
)
from services.intake.domain.validation.comparing import INSTANTS, read_comparison
from services.intake.domain.validation.personal import PERSONAL_ATTRIBUTE
from services.intake.domain.validation.values import ValueType
from shared.rules.conditions import ALWAYS
from shared.rules.document import Field
from shared.rules.facts import STANDARD_FACTS
from shared.rules.reading import ATTRIBUTE, read_condition
from shared.rules.words import read_code, read_word

LONGEST_MESSAGE = 300
"""It stands in an answer beside the field's name; more is a manual."""

RESERVED = {
    LIKELY_DUPLICATE: "likely duplicates",
    "implausibly_high": "implausible values",
    "implausibly_low": "implausible values",
    PERSONAL_ATTRIBUTE: "names of personal data",
}
"""Codes of findings that no rule makes."""

_CONNECTIVES = frozenset({"all", "any", "not"})


def read_rule(field: Field) -> Rule:
    """Raises:
    InvalidDocument: a field is missing or wrong.
    """
    members = field.members(frozenset({"rule", "severity", "message"}), frozenset({"when", "field"}) | CHECKS.keys())
    given = sorted(CHECKS.keys() & members.keys())
    if len(given) != 1:
        raise field.fail(f"needs exactly one of {', '.join(sorted(CHECKS))}")
    if "field" in members and given != ["must"]:
        raise members["field"].fail("goes with `must`; the other checks know their field")
    return Rule(
        code=members["rule"].parse(_read_rule_code),
        severity=members["severity"].parse(_read_severity),
        message=members["message"].parse(_read_message),
        condition=read_condition(members["when"]) if "when" in members else ALWAYS,
        check=CHECKS[given[0]](members[given[0]], members.get("field")),
    )


def _requires(field: Field, _named: Field | None) -> Check:
    return Requires(field.parse(_read_fact))


def _forbids(field: Field, _named: Field | None) -> Check:
    return Forbids(field.parse(_read_fact))


def _types(field: Field, _named: Field | None) -> Check:
    types: list[tuple[str, ValueType]] = []
    for name, entry in field.entries().items():
        if name in STANDARD_FACTS:
            raise entry.fail("a standard fact is always a word")
        try:
            types.append((_read_fact(name), entry.parse(_read_type)))
        except ValueError as error:
            raise entry.fail(str(error)) from None
    if not types:
        raise field.fail("names no attribute")
    return HasTypes(tuple(types))


def _must(field: Field, named: Field | None) -> Check:
    condition = read_condition(field)
    if named is not None:
        name = named.parse(_read_fact)
        if name not in condition.names():
            raise named.fail("is not asked about by `must`")
        return Must(name, condition)
    for key in field.entries():
        if key not in _CONNECTIVES:
            return Must(key.removeprefix(ATTRIBUTE), condition)
    raise field.fail("needs `field` beside it: which of its facts is to be named?")


def _compare(field: Field, _named: Field | None) -> Check:
    return Compares(field.parse(read_comparison))


CHECKS: dict[str, Callable[[Field, Field | None], Check]] = {
    "requires": _requires,
    "forbids": _forbids,
    "types": _types,
    "must": _must,
    "compare": _compare,
}
"""What a rule may check; each rule checks one thing, so that its message says what is wrong."""


def _read_rule_code(text: str) -> str:
    if text in RESERVED:
        raise ValueError(f"{text} is what {RESERVED[text]} are called")
    return read_code(text)


def _read_severity(text: str) -> Severity:
    if text not in list(Severity):
        raise ValueError(f"{text!r} is not one of {', '.join(Severity)}")
    return Severity(text)


def _read_type(text: str) -> ValueType:
    if text not in list(ValueType):
        raise ValueError(f"{text!r} is not one of {', '.join(ValueType)}")
    return ValueType(text)


def _read_message(text: str) -> str:
    if len(text) > LONGEST_MESSAGE or not text.isprintable():
        raise ValueError(f"must be one line of at most {LONGEST_MESSAGE} characters")
    return text


def _read_fact(text: str) -> str:
    name = read_word(text.removeprefix(ATTRIBUTE))
    if name in INSTANTS:
        raise ValueError(f"{name} is an instant of the submission and no attribute")
    return name
