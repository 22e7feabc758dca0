"""What is pointed out about rules that can be used."""

from __future__ import annotations

import pytest

from services.intake.domain.validation.linting import find_remarks, rule_lines
from services.intake.domain.validation.reading import read_validation
from tests.unit.intake.validation.shipped import TEXT, rule, rules_text, text_of


def remarks(text: str) -> list[str]:
    book = read_validation(text, "validation.yml")
    return [str(remark) for remark in find_remarks(book, rule_lines(text, "validation.yml"), "validation.yml")]


def about(*rules: str) -> list[str]:
    return [text.partition(", one.")[2] for text in remarks(rules_text(*rules))]


def test_nothing_is_odd_about_the_shipped_rules() -> None:
    assert remarks(TEXT) == []


@pytest.mark.parametrize(
    "when",
    [
        "{kind: enquiry}",
        "{amount: {above: 5, below: 5}}",
        "{amount: {at_least: 6, at_most: 5}}",
        "{broker: {known: false, is: b}}",
        "{broker: a, attributes.broker: {is: b}}",
        "{all: [{priority: low}, {not: {priority: [low, high]}}]}",
        "{any: [{market: HK, broker: {known: true}}, {amount: {above: 3}}], market: CN, amount: {below: 2}}",
        "{branch: {is: [A, B], like: 'C.*'}}",
        "{channel: {known: false}}",
    ],
)
def test_a_rule_whose_conditions_exclude_each_other_is_named(when: str) -> None:
    assert about(rule(f"requires: policy_number, when: {when}")) == [
        "a_rule: is never asked: no request meets its conditions"
    ]


@pytest.mark.parametrize(
    "when",
    [
        "{amount: {above: 5, below: 5.0000001}}",
        "{amount: {at_least: 5, at_most: 5}}",
        "{branch: {like: 'A.*'}, not: {branch: AB}}",
        "{branch: {like: 'A'}, not: {branch: {like: 'B'}}}",
        "{product_line: {known: false}}",
        "{any: [{kind: enquiry}, {amount: 12}]}",
    ],
)
def test_a_rule_that_may_fire_is_left_alone(when: str) -> None:
    assert about(rule(f"requires: policy_number, when: {when}")) == []


def test_what_has_too_many_alternatives_is_taken_for_possible() -> None:
    choices = ", ".join(f"{{any: [{{a{n}: x}}, {{b{n}: x}}]}}" for n in range(12))
    assert about(rule(f"requires: c, when: {{kind: enquiry, all: [{choices}]}}")) == []


@pytest.mark.parametrize(
    "check",
    [
        "requires: amount, when: {amount: {above: 3}}",
        "forbids: broker, when: {not: {broker: {known: true}}}",
        "must: {amount: {at_least: 0}}, when: {amount: {above: 100}}",
        "must: {kind: [claim, complaint]}",
        "types: {amount: number}, when: {amount: {known: false}}",
    ],
)
def test_a_rule_that_everything_keeps_is_named(check: str) -> None:
    assert about(rule(check)) == ["a_rule: can never fire: every request that it is asked about keeps it"]


@pytest.mark.parametrize("check", ["must: {amount: {above: 5, below: 4}}", "must: {market: HK}, when: {market: TW}"])
def test_a_rule_that_everything_breaks_is_named(check: str) -> None:
    assert about(rule(check)) == ["a_rule: can never be kept: every request that it is asked about breaks it"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("must: {amount: {at_least: 100}}", "must: {amount: {below: 100}}"),
        ("must: {currency: [HKD, USD]}", "must: {currency: TWD}"),
        ("requires: broker", "forbids: broker"),
        ("must: {amount: {at_least: 100}}, when: {broker: a}", "must: {amount: {below: 50}}"),
    ],
)
def test_ranges_that_contradict_are_named(one: str, other: str) -> None:
    assert about(rule(one, "first"), rule(other, "second")) == [
        "second: contradicts one.first: no request that both are asked about keeps both"
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("must: {amount: {at_least: 100}}", "must: {amount: {at_most: 100}}"),
        ("must: {amount: {above: 100}}, when: {market: HK}", "must: {amount: {below: 100}}, when: {market: CN}"),
        ("must: {amount: {above: 9}}", "must: {premium: {below: 9}}"),
        ("must: {amount: {above: 9}}", "forbids: amount"),
        ("requires: amount", "requires: broker"),
    ],
)
def test_ranges_that_can_both_be_kept_are_left_alone(one: str, other: str) -> None:
    assert about(rule(one, "first"), rule(other, "second")) == []


def test_a_rule_that_another_of_its_code_replaces_everywhere_is_named() -> None:
    one, other = rule("requires: amount", "same"), rule("requires: broker", "same")
    narrow = f"- schema: narrow\n  kind: claim\n  market: HK\n  rules: [{one}]\n"
    wide = f"- schema: wide\n  kind: [claim, enquiry]\n  rules: [{other}]\n"
    (said,) = remarks(text_of(narrow + wide))
    assert said.endswith(
        "narrow.same: is never asked: wide.same further down has the same code and is for all that this is for"
    )
    assert remarks(text_of(wide + narrow)) == []  # an exception after its rule is meant so
    assert len(about(one, other)) == 1


def test_a_remark_names_the_line_of_its_rule() -> None:
    text = rules_text(rule("requires: amount"), rule("requires: broker, when: {kind: enquiry}", "never"))
    (said,) = remarks(text)
    line = next(n for n, line in enumerate(text.splitlines(), start=1) if "rule: never" in line)
    assert said.startswith(f"validation.yml, line {line}, one.never: ")
