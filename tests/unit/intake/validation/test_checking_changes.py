"""What rules say of a change: what it makes wrong, and not what was wrong before."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.validation.book import ValidationBook
from services.intake.domain.validation.checking import check_change
from services.intake.domain.validation.reading import read_validation
from shared.contracts.payload import AttributeValue
from tests.unit.intake.validation.shipped import BOOK, SUBMITTED_AT, book_of, facts, found, rule, text_of

Attributes = Mapping[str, AttributeValue]


def said(
    book: ValidationBook, before: Attributes, change: Attributes, *, line: str = "motor", new_line: str | None = None
) -> list[str]:
    """The facts that are named."""
    findings = check_change(
        book,
        facts(before, line=line),
        facts({**before, **change}, line=new_line or line),
        submitted_at=SUBMITTED_AT,
        recorded_at=SUBMITTED_AT,
    )
    return [finding.field for finding in findings]


def test_what_a_change_makes_wrong_is_named() -> None:
    assert said(BOOK, {}, {"amount": -5, "incident_date": "2026-99-99"}) == [
        "attributes.amount",
        "attributes.incident_date",
    ]


def test_what_was_wrong_before_does_not_stand_in_the_way_of_another_change() -> None:
    before: Attributes = {"amount": -5, "sum_insured": "12k", "incident_date": "soon", "currency": "hkd"}
    assert said(BOOK, before, {"workshop": "HK-017"}) == []
    assert said(BOOK, before, {"amount": 5}) == []
    assert said(BOOK, before, {"premium": -1}) == ["attributes.premium"]


def test_what_is_wrong_is_named_when_it_is_changed_and_stays_wrong() -> None:
    assert said(BOOK, {"amount": -5}, {"amount": -7}) == ["attributes.amount"]
    assert said(BOOK, {"amount": -5}, {"amount": -5}) == []


def test_true_and_one_are_different() -> None:
    book = book_of(rule("types: {a: number}"))
    assert said(book, {"a": 1}, {"a": True}) == ["attributes.a"]


def test_of_a_chain_only_the_pairs_with_what_changed_are_compared() -> None:
    before: Attributes = {"policy_from": "2026-06-01", "incident_date": "2026-05-01"}
    assert said(BOOK, before, {"policy_to": "2027-05-31"}) == []
    assert said(BOOK, before, {"policy_to": "2026-04-30"}) == ["attributes.policy_from", "attributes.incident_date"]
    assert said(BOOK, before, {"policy_from": "2026-05-02"}) == ["attributes.policy_from"]


def test_a_condition_that_holds_now_asks_the_whole_rule() -> None:
    book = book_of(rule("requires: workshop, when: {amount: {at_least: 5000}}"))
    assert said(book, {"amount": 10}, {"amount": 5000}) == ["attributes.workshop"]
    assert said(book, {"amount": 5000}, {"amount": 6000}) == []  # it was missing before
    assert said(book, {"amount": 10}, {"amount": 5000, "workshop": "HK-017"}) == []


def test_a_line_with_rules_of_its_own_asks_them() -> None:
    old: Attributes = {"incident_date": "2010-01-01"}
    assert said(BOOK, old, {}, line="life", new_line="motor") == ["attributes.incident_date"]
    assert said(BOOK, old, {}, line="motor", new_line="life") == []
    wide = f"- schema: wide\n  rules: [{rule('must: {plate: {like: P.*}}')}]\n"
    assert said(read_validation(text_of(wide), "f"), {"plate": "Q"}, {}, new_line="life") == []


def test_a_personal_name_is_refused_unless_it_stays_as_it_was() -> None:
    assert said(BOOK, {"birth_date": "1990-02-28"}, {"amount": 5}) == []
    assert said(BOOK, {"birth_date": "1990-02-28"}, {"birth_date": "1990-02-27"}) == ["attributes.birth_date"]
    assert said(BOOK, {}, {"Passport-Number": "K1"}) == ["attributes.Passport-Number"]


VALUES = st.dictionaries(
    st.sampled_from(["amount", "sum_insured", "currency", "incident_date", "policy_from", "policy_to", "phone"]),
    st.sampled_from([5, -5, 2e9, True, "HKD", "dollars", "2026-11-01", "2031-01-01", "1800-01-01"]),
    max_size=5,
)


@given(VALUES, VALUES)
def test_a_change_is_blamed_for_nothing_that_is_not_wrong_afterwards(before: Attributes, change: Attributes) -> None:
    wrong = {finding.field for finding in found(BOOK, facts({**before, **change}))}
    assert set(said(BOOK, before, change)) <= wrong


@given(VALUES)
def test_a_change_of_nothing_into_something_is_judged_as_at_the_door(values: Attributes) -> None:
    at_the_door = {finding.field for finding in found(BOOK, facts(values))}
    assert set(said(BOOK, {}, values)) >= at_the_door


@pytest.mark.parametrize("verdict", ["refuse", "doubt"])
def test_a_finding_has_the_severity_of_its_rule(verdict: str) -> None:
    book = book_of(rule("must: {a: 1}", severity=verdict))
    (finding,) = check_change(book, facts(), facts({"a": 2}), submitted_at=SUBMITTED_AT, recorded_at=SUBMITTED_AT)
    assert finding.severity == verdict
