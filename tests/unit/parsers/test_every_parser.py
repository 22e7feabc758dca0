"""Whatever comes, a parser gives a value or the one error it declares."""

from __future__ import annotations

from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from services.intake.api.batch_lines import LineBody
from services.intake.api.bodies import Body, CustomerBody
from services.intake.api.move_bodies import MoveBody, TimedBody
from services.intake.api.quarantine import JudgementBody
from tests.unit.parsers.damage import HARD, objects, octets, texts
from tests.unit.parsers.discovery import functions_called, reading_functions
from tests.unit.parsers.elsewhere import TRUSTED
from tests.unit.parsers.of_data import BODIES, OBJECTS, OCTETS
from tests.unit.parsers.of_files import FILES_IN_YAML
from tests.unit.parsers.of_texts import TEXTS
from tests.unit.parsers.parser import Parser

WRITTEN = (*TEXTS, *FILES_IN_YAML)
ALL = (*WRITTEN, *OCTETS, *OBJECTS)

_parsing = settings(max_examples=40)
_parsing_files = settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])  # up to 0.1 s each

pytestmark = pytest.mark.timeout(600)  # on a machine with ten times the work that it can do


def named(parsers: tuple[Parser, ...]) -> Any:
    return pytest.mark.parametrize("parser", parsers, ids=[parser.name for parser in parsers])


def suppressing(parser: Parser) -> suppress:
    return suppress(*(parser.declared if isinstance(parser.declared, tuple) else (parser.declared,)))


@named(ALL)
def test_what_is_good_is_taken(parser: Parser) -> None:
    assert parser.good
    for sample in parser.good:
        parser.read(sample)


@named(TEXTS)
@_parsing
@given(data=st.data())
def test_any_text_is_read_or_refused(parser: Parser, data: st.DataObject) -> None:
    with suppressing(parser):
        parser.read(data.draw(texts(parser.good)))


@named(FILES_IN_YAML)
@_parsing_files
@given(data=st.data())
def test_any_file_is_read_or_refused(parser: Parser, data: st.DataObject) -> None:
    with suppressing(parser):
        parser.read(data.draw(texts(parser.good)))


@named(OCTETS)
@_parsing
@given(data=st.data())
def test_any_octets_are_read_or_refused(parser: Parser, data: st.DataObject) -> None:
    with suppressing(parser):
        parser.read(data.draw(octets(parser.good)))


@named(OBJECTS)
@_parsing
@given(data=st.data())
def test_any_json_is_read_or_refused(parser: Parser, data: st.DataObject) -> None:
    with suppressing(parser):
        parser.read(data.draw(objects(parser.good)))


@named((*WRITTEN, *OCTETS))
def test_what_is_long_or_nested_is_read_or_refused_all_the_same(parser: Parser) -> None:
    """In a second or two: what would take for ever ends with the bound on the time of a test."""
    for text in HARD:
        with suppressing(parser):
            parser.read(text.encode() if parser in OCTETS else text)


def test_whatever_makes_values_of_texts_of_others_is_here() -> None:
    """A new one gets a line in one of the tables, or in ``elsewhere`` if nobody else writes what it reads."""

    def read_all() -> None:
        for parser in ALL:
            for sample in parser.good:
                parser.read(sample)

    patterns = [pattern for group in TRUSTED.values() for pattern in group]
    left = reading_functions() - functions_called(read_all)
    assert [name for name in sorted(left) if not any(fnmatchcase(name, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in left)] == []


def test_every_body_is_here() -> None:
    parts = {MoveBody, TimedBody, JudgementBody, CustomerBody, LineBody}  # of others; a line is read from its octets
    assert _below(Body) - parts - BODIES == set()


def _below(model: type[BaseModel]) -> set[type[BaseModel]]:
    return {found for direct in model.__subclasses__() for found in {direct, *_below(direct)}}
