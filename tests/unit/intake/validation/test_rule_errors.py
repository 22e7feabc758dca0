"""What is said about a validation file that cannot be used: file, line and field of everything that is wrong."""

from __future__ import annotations

import pytest
import yaml

from services.intake.domain.validation.reading import MOST_RULES, read_validation
from shared.rules.document import InvalidDocument
from tests.unit.intake.validation.shipped import TEXT, rule, rules_text, text_of


def complaints(text: str) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        read_validation(text, "validation.yml")
    return [str(complaint) for complaint in caught.value.complaints]


def about_rule(fields: str) -> str:
    (found,) = complaints(rules_text(f"{{{fields}}}"))
    line = rules_text("HERE").splitlines().index("    - HERE") + 1
    return found.removeprefix(f"validation.yml, line {line}, schemas[0].rules[0]")


BARE = "rule: a, severity: doubt, message: m"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (BARE, ": needs exactly one of compare, forbids, must, requires, types"),
        (f"{BARE}, requires: a, forbids: b", ": needs exactly one of "),
        ("severity: doubt, message: m, requires: a", ": rule is missing"),
        ("rule: A!, severity: doubt, message: m, requires: a", ".rule: 'A!' is not a word of lower-case"),
        ("rule: a, severity: warn, message: m, requires: a", ".severity: 'warn' is not one of refuse, doubt"),
        (f"rule: a, severity: doubt, message: {'m' * 301}, requires: a", ".message: must be one line of at most 300"),
        (f"{BARE.replace('a,', 'personal_attribute,')}, requires: a", ".rule: personal_attribute is what names of "),
        (f"{BARE}, requires: a, colour: red", ".colour: is not a known name here"),
        (f"{BARE}, requires: a, field: a", ".field: goes with `must`"),
        (f"{BARE}, requires: two words", ".requires: 'two words' is not a single word"),
        (f"{BARE}, requires: [a, b]", ".requires: must be a single value"),
        (f"{BARE}, forbids: submitted_at", ".forbids: submitted_at is an instant of the submission"),
        (f"{BARE}, requires: a, when: {{kind: cliam}}", ".when.kind: 'cliam' is not one of claim, "),
        (f"{BARE}, types: {{}}", ".types: names no attribute"),
        (f"{BARE}, types: {{amount: money}}", ".types.amount: 'money' is not one of number, integer, "),
        (f"{BARE}, types: {{kind: code}}", ".types.kind: a standard fact is always a word"),
        (f"{BARE}, types: {{recorded_at: date}}", ".types.recorded_at: recorded_at is an instant"),
        (f"{BARE}, types: amount", ".types: must be a mapping of names to values"),
        (f"{BARE}, must: {{amount: {{at_least: much}}}}", ".must.amount.at_least: 'much' is not a number"),
        (f"{BARE}, must: {{code: {{like: '(a*)*'}}}}", ".must.code.like: can be tried in too many ways"),
        (f"{BARE}, must: {{any: [{{a: 1}}]}}", ".must: needs `field` beside it"),
        (f"{BARE}, must: {{a: 1}}, field: b", ".field: is not asked about by `must`"),
        (f"{BARE}, compare: amount", ".compare: compares nothing"),
        (f"{BARE}, compare: a == b", ".compare: '==' is not one of <, <=, >, >="),
        (f"{BARE}, compare: a <=", ".compare: needs names with one of "),
        (f"{BARE}, compare: a <= b + soon", ".compare: after + a number of days is needed, such as 30d"),
        (f"{BARE}, compare: a <= b - 73001d", ".compare: after - a number of days is needed"),
        (f"{BARE}, compare: a <= b -", ".compare: after - a number of days is needed"),
        (f"{BARE}, compare: a <= a + 1d", ".compare: compares a with itself"),
        (f"{BARE}, compare: submitted_at <= recorded_at", ".compare: compares two instants that no channel chooses"),
        (f"{BARE}, compare: a <= submitted_at", ".compare: no rule says which type a has; add one with `types`"),
    ],
)
def test_every_field_of_a_rule_says_what_it_takes(fields: str, said: str) -> None:
    assert about_rule(fields).startswith(said)


@pytest.mark.parametrize(
    ("types", "comparison", "said"),
    [
        ("{a: number, b: date}", "a <= b", "a is of type number, b of type date"),
        ("{a: number}", "a <= submitted_at", "a is of type number, submitted_at of type instant"),
        ("{a: truth, b: truth}", "a <= b", "a is of type truth and has no order"),
        ("{a: number, b: number}", "a <= b + 1d", "b is of type number, which days cannot move"),
    ],
)
def test_what_cannot_be_compared_is_refused(types: str, comparison: str, said: str) -> None:
    text = rules_text(rule(f"types: {types}", "typed"), rule(f"compare: {comparison}"))
    (found,) = complaints(text)
    assert found.endswith(f"schemas[0].rules[1].compare: {said}")


def test_an_attribute_has_one_type_in_the_whole_file() -> None:
    text = rules_text(rule("types: {a: date, b: number}"), rule("types: {b: number, a: instant}", "other"))
    (found,) = complaints(text)
    assert found.endswith("rules[1].types.a: is a date further up; an attribute has one type")


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("kind: cliam", "schemas[0].kind: 'cliam' is not one of claim, complaint, "),
        ("kind: [claim, cliam]", "schemas[0].kind[1]: 'cliam' is not one of "),
        ("market: XX", "schemas[0].market: 'XX' is not one of CN, HK, TW"),
        ("product_line: [two words]", "schemas[0].product_line[0]: 'two words' is not a single word"),
        ("kind: []", "schemas[0].kind: names none; leave it out"),
        ("channel: app", "schemas[0].channel: is not a known name here"),
    ],
)
def test_every_field_of_a_schema_says_what_it_takes(schema: str, said: str) -> None:
    (found,) = complaints(rules_text(rule("requires: a"), scope=schema))
    assert said in found


def test_a_schema_is_defined_once() -> None:
    once = f"- schema: one\n  rules: [{rule('requires: a')}]\n"
    assert any("schema one is defined twice" in found for found in complaints(text_of(once * 2)))


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ('format: "1"', "format: 2", "format", "reads format 1"),
        ("TW: Asia/Taipei", "TW: Asia/Nowhere", "zones.TW", "there is no time zone 'Asia/Nowhere'"),
        ("TW: Asia/Taipei", "XX: Asia/Taipei", "zones.XX", "is not a known name here"),
        ("within: 14d", "within: 2w", "duplicates.within", "'2w' is not a number of days such as 14d"),
        ("likely: 0.85", "likely: 1.5", "duplicates.likely", "must lie above 0 and be at most 1"),
        ("likely: 0.85", "likely: 0.5", "duplicates.possible", "must not be above `likely`"),
        ("kind: {same: 1, differs: 6}", "kind: {same: 0, differs: 6}", "weights.kind.same", "must lie above 0"),
        ("    kind: {same: 1, differs: 6}\n", "", "duplicates.weights", "kind is missing"),
        ("least_observations: 200", "least_observations: 2", "plausibility.least_observations", "from 10 to"),
        ("deviations: 6", "deviations: nan", "plausibility.deviations", "'nan' is not a number"),
        ("deviations: 6", "deviations: six", "plausibility.deviations", "'six' is not a number"),
        ("least_spread: 0.1", "least_spread: 0", "plausibility.least_spread", "must lie above 0"),
        ("{starts: 7, ends: 3,", "{starts: 2, ends: 3,", "streams.surge.ends", "must not be above `starts`"),
        ("least_weeks: 4", "least_weeks: 9", "streams.least_weeks", "must not be above `weeks`"),
        ("least_weeks: 4", "least_weeks: 3.5", "streams.least_weeks", "must be a whole number from 3"),
        ("[2026-12-25, ", "[2026-12-32, ", "streams.holidays[0]", "'2026-12-32' is not a date such as 2026-12-25"),
        ("[2026-12-25, 2026-12-26", "[2026-12-26, 2026-12-26", "streams.holidays[1]", "2026-12-26 is named twice"),
        ("margin: 0.1", "margin: 1.1", "streams.refusals.margin", "at most 1"),
        ("  - passport\n", "  - pass port\n", "personal[", "'pass port' is not a single word"),
        ("  - passport\n", "  - Pass-Port\n  - passport\n", "personal[", "passport is as good as Pass-Port, which is"),
        ("personal:\n", "personal:\n  all:\n", "personal", "must be a list"),
    ],
)
def test_an_error_names_file_line_and_field(old: str, new: str, field: str, message: str) -> None:
    assert TEXT.count(old) == 1, old
    found = complaints(TEXT.replace(old, new))
    assert any(text.startswith("validation.yml, line ") and field in text and message in text for text in found), found


def test_everything_that_is_wrong_is_named_at_once_in_the_order_of_the_text() -> None:
    broken = (
        TEXT.replace("Asia/Taipei", "here")
        .replace("forbids: incident_date", "forbids: two words")
        .replace("within: 14d", "within: soon")
        .replace("calm_hours: 3", "calm_hours: 0")
    )
    fields = [text.split(", ")[2].partition(":")[0] for text in complaints(broken)]
    assert fields == ["zones.TW", "schemas[3].rules[0].forbids", "duplicates.within", "streams.calm_hours"]


def test_a_rule_that_cannot_be_read_does_not_make_others_look_wrong() -> None:
    text = rules_text(rule("types: {a: date, b: dat}", "typed"), rule("compare: a <= submitted_at"))
    (found,) = complaints(text)
    assert ".types.b: 'dat' is not one of" in found


@pytest.mark.parametrize("section", ["zones", "schemas", "duplicates", "plausibility", "streams", "personal"])
def test_every_section_must_be_there(section: str) -> None:
    whole = yaml.safe_load(TEXT)
    del whole[section]
    (found,) = complaints(yaml.safe_dump(whole))
    assert found.endswith(f"document: {section} is missing")


def test_a_file_holds_only_so_many_rules() -> None:
    rules = [rule("requires: a", f"r{n}") for n in range(MOST_RULES + 1)]
    (found,) = complaints(rules_text(*rules))
    assert f"a file holds at most {MOST_RULES} rules" in found


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is empty"), ("[1, 2", "is not YAML"), ("- a\n", "must be a mapping"), ("[" * 5000, "nested too deeply")],
    ids=["nothing", "no YAML", "a list", "deep"],
)
def test_a_text_of_another_shape_is_refused(text: str, message: str) -> None:
    assert any(message in found for found in complaints(text))
