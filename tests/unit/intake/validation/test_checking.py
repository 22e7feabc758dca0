"""What rules say of a request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.validation.book import Severity
from services.intake.domain.validation.checking import is_refused, rules_for
from services.intake.domain.validation.reading import read_validation
from shared.contracts.payload import AttributeValue
from tests.unit.intake.validation.shipped import BOOK, SUBMITTED_AT, book_of, codes, facts, found, rule, text_of

DATES = rule("types: {a: date, b: date, c: date}", "types")


def test_a_finding_names_rule_severity_field_and_message_and_no_value() -> None:
    (finding,) = found(book_of(rule("must: {amount: {at_most: 5}}", "small", "doubt")), facts({"amount": 77}))
    assert (finding.rule, finding.severity, finding.field) == ("small", Severity.DOUBT, "attributes.amount")
    assert finding.message == "is wrong"
    assert "77" not in repr(finding)


def test_a_standard_fact_is_named_as_it_stands_in_the_body() -> None:
    (finding,) = found(book_of(rule("requires: product_line")), facts(line=None))
    assert finding.field == "product_line"


def test_one_refusal_is_enough_and_a_doubt_is_none() -> None:
    doubt, refusal = rule("requires: a", "d", "doubt"), rule("requires: b", "r", "refuse")
    assert is_refused(found(book_of(doubt, refusal), facts()))
    assert not is_refused(found(book_of(doubt, refusal), facts({"b": 1})))
    assert not is_refused(())


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        ("requires: amount", {"amount": 0}, {}),
        ("forbids: amount", {}, {"amount": 0}),
        ("types: {a: number}", {"a": 1.5}, {"a": True}),
        ("types: {a: integer}", {"a": 2.0}, {"a": 2.5}),
        ("types: {a: truth}", {"a": False}, {"a": "true"}),
        ("types: {a: code}", {"a": "x"}, {"a": 1}),
        ("types: {a: date}", {"a": "2028-02-29"}, {"a": "2026-02-29"}),
        ("types: {a: date}", {"a": "9999-12-31"}, {"a": "20261122"}),
        ("types: {a: date}", {"a": "0001-01-01"}, {"a": "0000-01-01"}),
        ("types: {a: instant}", {"a": "2026-11-22T09:30"}, {"a": "2026-11-22"}),
        ("types: {a: instant}", {"a": "2026-11-22T01:30:00.5Z"}, {"a": "2026-11-22T24:30Z"}),
        ("types: {a: instant}", {"a": "2026-11-21T20:30-05:00"}, {"a": "9999-12-31T20:00-05:00"}),
        ("must: {a: {at_least: 1, below: 3}}", {"a": 1}, {"a": 3}),
        ("must: {a: {like: 'P[0-9]+'}}", {"a": "P12"}, {"a": "Q12"}),
        ("must: {a: [x, y]}", {"a": "y"}, {"a": "z"}),
        ("must: {any: [{a: 1}, {b: 2}]}, field: b", {"a": 1, "b": 3}, {"a": 2, "b": 3}),
        ("requires: b, when: {a: {above: 5}}", {"a": 5}, {"a": 6}),
    ],
)
def test_a_check_tells_right_from_wrong(
    check: str, right: dict[str, AttributeValue], wrong: dict[str, AttributeValue]
) -> None:
    book = book_of(rule(check))
    assert codes(book, facts(right)) == []
    assert codes(book, facts(wrong)) == ["a_rule"]


@pytest.mark.parametrize("check", ["types: {a: date}", "must: {a: 1}", "must: {any: [{a: 1}, {b: 1}]}, field: a"])
def test_what_is_missing_is_not_wrong(check: str) -> None:
    assert codes(book_of(rule(check)), facts({"b": 2})) == []


def test_each_attribute_of_a_wrong_type_is_named() -> None:
    fields = [finding.field for finding in found(book_of(DATES), facts({"a": "soon", "b": "2026-01-01", "c": 5}))]
    assert fields == ["attributes.a", "attributes.c"]


# Comparisons


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"a": "2026-01-01", "b": "2026-01-02", "c": "2026-01-02"}, None),
        ({"a": "2026-01-03", "b": "2026-01-02", "c": "2026-01-02"}, "attributes.a"),
        ({"a": "2026-01-01", "b": "2026-01-02", "c": "2026-01-01"}, "attributes.b"),
        ({"a": "2026-01-01", "b": "2026-01-02"}, None),
        ({"b": "2026-01-02", "c": "2026-01-01"}, "attributes.b"),
        ({"a": "2026-01-01", "c": "2025-01-01"}, None),
        ({"a": "soon", "b": "2026-01-02"}, None),
    ],
)
def test_each_neighbouring_pair_that_is_there_is_compared(values: dict[str, str], wrong: str | None) -> None:
    findings = found(book_of(DATES, rule("compare: a <= b <= c")), facts(values))
    assert [finding.field for finding in findings if finding.rule == "a_rule"] == ([] if wrong is None else [wrong])


@given(left=st.integers(-(2**53), 2**53), right=st.floats(-1e15, 1e15))
def test_numbers_are_compared_as_numbers(left: int, right: float) -> None:
    book = book_of(rule("types: {a: number, b: number}", "types"), rule("compare: a < b"))
    assert codes(book, facts({"a": left, "b": right})) == ([] if left < right else ["a_rule"])


@given(
    day=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    seconds=st.integers(0, 3_000_000_000),
    market=st.sampled_from(["HK", "CN", "TW"]),
)
def test_a_date_is_a_date_in_the_zone_of_the_market(day: date, seconds: int, market: str) -> None:
    submitted_at = datetime(2000, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)
    book = book_of(DATES, rule("compare: a <= submitted_at"))
    local = submitted_at.astimezone(timezone(timedelta(hours=8))).date()  # none of the three has moved its clocks since
    about = facts({"a": day.isoformat()}, market=market)
    assert codes(book, about, submitted_at) == ([] if day <= local else ["a_rule"])


def test_the_zone_of_the_instant_that_is_given_does_not_matter() -> None:
    book = book_of(DATES, rule("compare: a >= submitted_at"))
    late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)  # the 22nd in Hong Kong
    assert codes(book, facts({"a": "2026-11-21"}), late) == ["a_rule"]
    assert codes(book, facts({"a": "2026-11-21"}), late.astimezone(timezone(timedelta(hours=-11)))) == ["a_rule"]


@pytest.mark.parametrize(
    ("value", "is_right"),
    [
        ("2026-11-22T09:30", True),  # as clocks show it in Hong Kong
        ("2026-11-22T01:30Z", True),
        ("2026-11-22T01:30:00.000001Z", False),
        ("2026-11-22T09:31", False),
        ("2026-11-21T20:30-05:00", True),
    ],
)
def test_an_instant_is_compared_to_the_microsecond(value: str, is_right: bool) -> None:
    book = book_of(rule("types: {a: instant}", "types"), rule("compare: a <= submitted_at"))
    assert codes(book, facts({"a": value})) == ([] if is_right else ["a_rule"])


def test_a_date_and_an_instant_of_that_day_are_equal() -> None:
    book = book_of(rule("types: {a: date, b: instant}", "types"), rule("compare: a < b"))
    assert codes(book, facts({"a": "2026-11-22", "b": "2026-11-22T23:59"})) == ["a_rule"]
    assert codes(book, facts({"a": "2026-11-22", "b": "2026-11-23T00:00"})) == []


@given(shift=st.sampled_from([0, 1, 366, 73_000]), off=st.integers(-2, 2))
@settings(deadline=None)  # it reads a book for each of the four spans
def test_days_move_a_term(shift: int, off: int) -> None:
    book = book_of(DATES, rule(f"compare: a >= b - {shift}d"))
    start = date(2500, 6, 1)
    about = facts({"a": (start + timedelta(days=off - shift)).isoformat(), "b": start.isoformat()})
    assert codes(book, about) == ([] if off >= 0 else ["a_rule"])


@pytest.mark.parametrize("comparison", ["a <= b + 1d", "a >= b - 73000d", "a <= submitted_at + 73000d", "a >= c - 1d"])
@pytest.mark.parametrize("b", ["0001-01-01", "9999-12-31"])
def test_a_policy_without_end_does_not_leave_the_calendar(comparison: str, b: str) -> None:
    book = book_of(DATES.replace("c: date", "c: instant"), rule(f"compare: {comparison}"))
    assert codes(book, facts({"a": "2026-01-01", "b": b, "c": f"{b}T12:00Z"})) in ([], ["a_rule"])
    assert codes(book, facts({"a": b, "b": b, "c": f"{b}T12:00Z"})) in ([], ["a_rule"])


# Which rules are asked

WIDE = f"- schema: wide\n  rules:\n  - {rule('requires: a', 'same')}\n  - {rule('requires: b', 'wide_only')}\n"
SCOPE = "kind: claim\n  product_line: motor\n  market: [HK, TW]"
NARROW = f"- schema: narrow\n  {SCOPE}\n  rules: [{rule('requires: c', 'same')}]\n"
BOTH = read_validation(text_of(WIDE + NARROW), "validation.yml")


def test_rules_of_all_schemas_that_name_a_request_are_asked_and_the_last_of_a_code_wins() -> None:
    fields = [finding.field for finding in found(BOTH, facts())]
    assert fields == ["attributes.c", "attributes.b"]


@pytest.mark.parametrize(
    ("kind", "market", "line"),
    [("enquiry", "HK", "motor"), ("claim", "CN", "motor"), ("claim", "TW", "life"), ("claim", "HK", None)],
)
def test_a_schema_is_for_the_kinds_lines_and_markets_it_names(kind: str, market: str, line: str | None) -> None:
    fields = [finding.field for finding in found(BOTH, facts(kind=kind, market=market, line=line))]
    assert fields == ["attributes.a", "attributes.b"]


def test_an_attribute_cannot_pass_for_a_standard_fact() -> None:
    book = book_of(rule("must: {priority: urgent}"))
    assert codes(book, facts({"priority": "urgent"})) == ["a_rule"]


@given(
    values=st.dictionaries(
        st.sampled_from(["amount", "sum_insured", "incident_date", "policy_from", "policy_to", "age", "birth_date"]),
        st.one_of(
            st.booleans(),
            st.integers(-(2**53), 2**53),
            st.floats(allow_nan=False),
            st.dates().map(date.isoformat),
            st.datetimes().map(lambda instant: f"{instant.isoformat()}Z"),
            st.text("ab09-:TZ", min_size=1, max_size=64),
        ),
    ),
    kind=st.sampled_from(["claim", "underwriting", "enquiry"]),
    line=st.sampled_from(["motor", "life", None]),
)
def test_whatever_a_channel_sends_is_answered(values: dict[str, AttributeValue], kind: str, line: str | None) -> None:
    once = found(BOOK, facts(values, kind=kind, line=line), SUBMITTED_AT)
    assert once == found(BOOK, facts(values, kind=kind, line=line), SUBMITTED_AT)
    assert {finding.field.removeprefix("attributes.") for finding in once} <= values.keys()


ATTRIBUTES = st.sampled_from(
    ["amount", "sum_insured", "premium", "currency", "has_photos", "incident_date", "policy_from", "policy_to", "x"]
)
GIVEN = st.sampled_from([5, -5, 2e9, True, "HKD", "dollars", "2026-11-01", "2031-01-01", "1800-01-01"])


@given(
    st.dictionaries(ATTRIBUTES, GIVEN, max_size=5),
    st.sampled_from(["claim", "enquiry", "underwriting"]),
    st.sampled_from([None, "motor", "life"]),
)
def test_a_rule_that_is_passed_over_had_nothing_to_say(
    attributes: dict[str, AttributeValue], kind: str, line: str | None
) -> None:
    about = facts(attributes, kind=kind, line=line)
    said = found(BOOK, about)
    asked = replace(BOOK)
    asked.concerns[about.kind, about.market, line if line in BOOK.product_lines else None] = tuple(
        (rule, frozenset()) for rule, _ in rules_for(BOOK, about)
    )
    assert found(asked, about) == said
