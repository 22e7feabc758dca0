"""Reads validation.yml. Every error names file, line and field, and one run names all of them."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

from services.intake.domain.anomalies.limits_reading import (
    read_duplicate_limits,
    read_plausibility_limits,
    read_stream_limits,
)
from services.intake.domain.validation.book import Compares, HasTypes, Rule, Schema, ValidationBook
from services.intake.domain.validation.comparing import find_obstacle
from services.intake.domain.validation.personal import read_names
from services.intake.domain.validation.personal_names import PersonalNames
from services.intake.domain.validation.rule_reading import read_rule
from services.intake.domain.validation.values import ValueType
from shared.contracts.payload import Market, RequestKind
from shared.errors import ConfigurationError
from shared.rules.document import Document, Field, refusing
from shared.rules.words import read_code, read_word
from shared.worktime.local_time import find_zone

FORMAT = "1"

MOST_RULES = 1000
"""Every request is asked all that are for it. The shipped ones take 0.2 ms, so a thousand would take some fifteen."""

_SECTIONS = frozenset({"format", "zones", "schemas", "duplicates", "plausibility", "streams", "personal"})
_OPTIONAL = frozenset({"harmless"})
_SCOPE = frozenset({"kind", "product_line", "market"})

_Read = tuple[Rule | None, Field]
"""A rule, None when it had to be complained of, and where it stands."""


def read_validation(text: str, file: str) -> ValidationBook:
    """The rules and limits of a text.

    Args:
        file: the name to complain under.

    Raises:
        InvalidDocument: names every wrong field.
    """
    with refusing(file):
        return _read(Document(text, file))


def _read(document: Document) -> ValidationBook:
    top = document.root.members(_SECTIONS, _OPTIONAL)
    if top["format"].text() != FORMAT:
        raise top["format"].fail(f"this program reads format {FORMAT}")
    zones = document.attempt(lambda: _zones(top["zones"]))
    duplicates = document.attempt(lambda: read_duplicate_limits(top["duplicates"]))
    plausibility = document.attempt(lambda: read_plausibility_limits(top["plausibility"]))
    streams = document.attempt(lambda: read_stream_limits(top["streams"]))
    personal = document.attempt(lambda: _personal(document, top))
    read: list[_Read] = []
    schemas: list[Schema] = []
    for field in document.attempt(top["schemas"].items) or []:
        with document.collecting():
            schema = _schema(document, field, read)
            if any(schema.name == other.name for other in schemas):
                raise field.fail(f"schema {schema.name} is defined twice")
            schemas.append(schema)
    types = _types(document, read)
    if all(rule is not None for rule, _ in read):  # else a type may be missing only because its rule has a mistake
        _compare(document, read, types)
    document.finish()
    assert zones is not None  # what could not be read was complained of
    assert duplicates is not None
    assert plausibility is not None
    assert streams is not None
    assert personal is not None
    return ValidationBook(zones, tuple(schemas), types, duplicates, plausibility, streams, personal)


def _personal(document: Document, top: dict[str, Field]) -> PersonalNames:
    personal = read_names(document, top["personal"])
    if "harmless" not in top:
        return PersonalNames(personal)
    harmless = read_names(document, top["harmless"])
    both = sorted(name for key, name in harmless.items() if key in personal)
    if both:
        raise top["harmless"].fail(f"{both[0]} is `personal` as well")
    return PersonalNames(personal, harmless)


def _zones(field: Field) -> dict[Market, ZoneInfo]:
    zones: dict[Market, ZoneInfo] = {}
    for market, entry in field.members(frozenset(Market)).items():
        name = entry.text()
        try:
            zones[Market(market)] = find_zone(name)
        except ConfigurationError as error:
            raise entry.fail(str(error)) from None
    return zones


def _schema(document: Document, field: Field, read: list[_Read]) -> Schema:
    """Every rule is added to ``read``, also one that could not be read."""
    members = field.members(frozenset({"schema", "rules"}), _SCOPE)
    name = members["schema"].parse(read_code)
    kinds = document.attempt(lambda: _words(members, "kind", frozenset(RequestKind)))
    lines = document.attempt(lambda: _words(members, "product_line", None))
    markets = document.attempt(lambda: _words(members, "market", frozenset(Market)))
    rules: list[Rule] = []
    for entry in members["rules"].items():
        if len(read) >= MOST_RULES:
            raise entry.fail(f"a file holds at most {MOST_RULES} rules")
        rule = document.attempt(partial(read_rule, entry))
        read.append((rule, entry))
        if rule is not None:
            rules.append(rule)
    return Schema(
        name,
        tuple(rules),
        frozenset(RequestKind(kind) for kind in kinds or ()),
        lines or frozenset(),
        frozenset(Market(market) for market in markets or ()),
    )


def _words(members: dict[str, Field], name: str, known: frozenset[str] | None) -> frozenset[str]:
    if name not in members:
        return frozenset()
    entries = members[name].items_or_self()
    if not entries:
        raise members[name].fail("names none; leave it out where it does not matter")
    for entry in entries:
        if known is not None and entry.text() not in known:
            raise entry.fail(f"{entry.text()!r} is not one of {', '.join(sorted(known))}")
    return frozenset(entry.parse(read_word) for entry in entries)


def _types(document: Document, read: list[_Read]) -> dict[str, ValueType]:
    """An attribute means the same wherever it comes from, so it has one type in the whole file."""
    types: dict[str, ValueType] = {}
    for rule, field in read:
        if rule is None or not isinstance(rule.check, HasTypes):
            continue
        fields = field.entries()["types"].entries()
        for name, kind in rule.check.types:
            with document.collecting():
                if types.setdefault(name, kind) is not kind:
                    raise fields[name].fail(f"is a {types[name]} further up; an attribute has one type")
    return types


def _compare(document: Document, read: list[_Read], types: dict[str, ValueType]) -> None:
    for rule, field in read:
        if rule is None or not isinstance(rule.check, Compares):
            continue
        with document.collecting():
            obstacle = find_obstacle(rule.check.comparison, types)
            if obstacle is not None:
                raise field.entries()["compare"].fail(obstacle)
