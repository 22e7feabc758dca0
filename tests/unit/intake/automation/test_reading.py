"""Rules of automation as files: every field is read, and a wrong one is refused with its place."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.automation import reading
from services.intake.domain.automation.reading import read_automation
from services.intake.domain.automation.reminders import OWNER, CountedSpan
from services.intake.domain.automation.rules import AssignStep, CloseStep, RecordStep, SignalStep, StageStep
from services.intake.domain.chain import hash_entry
from services.intake.domain.changes import ControlRecorded
from services.intake.domain.history import Entry
from shared.contracts.payload import AttributeValue, Market
from shared.rules.document import InvalidDocument
from tests.unit.intake.shipped import AUTOMATION

SHIPPED = AUTOMATION

REMINDING = """\
format: "1"
rules:
  - rule: waits
    on: false
    when: {stage: received, waits_for: house}
    remind: {after: 4h working, every: 1d elapsed, at_most: 3, to: [owner, team_lead]}
  - rule: once
    when: {kind: claim}
    remind: {after: 90m elapsed}
calendars:
  office: {timezone: Asia/Hong_Kong, known_until: 2099-12-31, weekly: {mon: [["09:00", "18:00"]]}}
markets: {HK: office, CN: office, TW: office}
"""

TEXT = """\
format: "1"
rules:
  - rule: small
    when: {kind: claim, amount: {at_most: 500}, is_complete: true}
    held_back: 0.25
    do:
      - {control: cover_checked, recorded: {cover_in_force: true, excess: 12.5, file: A-1, pages: 3}}
      - {assign: payments}
      - {signal: straight_through}
      - {stage: next}
      - {close: paid, reason: small}
"""


def test_every_field_is_read() -> None:
    found = read_automation(TEXT, "automation.yml")
    (rule,) = found.rules
    assert (rule.code, rule.held_back, rule.is_on) == ("small", 0.25, True)
    recorded: dict[str, AttributeValue] = {"cover_in_force": True, "excess": 12.5, "file": "A-1", "pages": 3}
    assert rule.steps == (
        RecordStep("cover_checked", recorded),
        AssignStep("payments"),
        SignalStep("straight_through"),
        StageStep(None),
        CloseStep("paid", "small"),
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("0", 0),
        ("-12", -12),
        ("-0.5", -0.5),
        ("-0.0", 0.0),
        ("9007199254740992", 2**53),
        ("9007199254740993", "9007199254740993"),
        ("9007199254740992.5", "9007199254740992.5"),
        *((word, word) for word in ("nan", "inf", "Infinity", "1e999", "12E5", "007", "1_000", "1.", "0x10")),
    ],
)
def test_a_recorded_value_is_a_number_only_where_it_is_written_like_one(written: str, meant: AttributeValue) -> None:
    found = recorded(written)
    assert (found, type(found), str(found)) == (meant, type(meant), str(meant))


def recorded(written: str) -> AttributeValue:
    text = (
        f'format: "1"\nrules: [{{rule: a, when: {{kind: claim}}, do: [{{control: c, recorded: {{v: "{written}"}}}}]}}]'
    )
    ((made,),) = (rule.steps for rule in read_automation(text, "automation.yml").rules)
    assert isinstance(made, RecordStep)
    return made.recorded["v"]


@given(
    st.from_regex(r"-?[0-9a-zA-Z_.+]{1,40}", fullmatch=True)
    | st.floats().map(str)
    | st.integers().map(str)
    | st.sampled_from(["9" * 400, "0." + "1" * 400, "-0", "1e-999", "-inf"])
)
def test_whatever_a_rule_records_can_be_proved(written: str) -> None:
    with suppress(InvalidDocument):
        change = ControlRecorded("assessment", "c", True, {"v": recorded(written)})
        entry = Entry(2, change, datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC), "automation")
        assert len(hash_entry(UUID(int=7), entry, None)) == 32


def test_the_rules_on_the_page_can_be_used() -> None:
    page = (Path(__file__).parents[4] / "docs" / "howto" / "automate.md").read_text(encoding="utf-8")
    text = page.partition("```yaml\n")[2].partition("```")[0]
    assert [rule.is_on for rule in read_automation(text, "automate.md").rules] == [True, True, True]
    text = page.split("```yaml\n")[2].partition("```")[0]
    assert [rule.code for rule in read_automation(text, "automate.md").reminders] == [
        "nobody_took_it_up",
        "urgent_waits",
    ]


def test_nothing_that_ships_is_switched_on() -> None:
    shipped = read_automation(SHIPPED, "automation.yml")
    assert shipped.rules
    assert not shipped.acts
    assert shipped.reminders
    assert not shipped.reminds


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "message"),
    [
        ('format: "1"', 'format: "2"', 1, "format", "reads format 1"),
        ("rule: small", "rule: Small", 3, "rules[0].rule", "lower-case"),
        ("kind: claim", "kind: lottery", 4, "rules[0].when.kind", "is not one of"),
        ("is_complete: true", "is_complete: perhaps", 4, "rules[0].when.is_complete", "is not one of false, true"),
        ("held_back: 0.25", "held_back: 2", 5, "rules[0].held_back", "between 0 and 1"),
        ("{signal: straight_through}", "{open: lottery}", 9, "rules[0].do[2].open", "is not one of claim, complaint"),
        ("{signal: straight_through}", "{open: claim, priority: top}", 9, "rules[0].do[2].priority", "is not one of"),
        (
            "{assign: payments}\n      - {signal: straight_through}",
            "{open: claim}\n      - {open: claim}",
            7,
            "rules[0].do",
            "opens one request at most",
        ),
        ("{signal: straight_through}", "{dance: tango}", 9, "rules[0].do[2]", "is no step"),
        ("{stage: next}", "{stage: next, now: true}", 10, "rules[0].do[3].now", "not a known name"),
        ("- {stage: next}\n      - {close", "- {close: a}\n      - {close", 7, "rules[0].do", "nothing can follow"),
        ("rules:", "rulez:", 3, "rulez", "not a known name"),
    ],
)
def test_a_wrong_field_is_refused_with_its_place(old: str, new: str, line: int, field: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(InvalidDocument) as caught:
        read_automation(TEXT.replace(old, new, 1), "automation.yml")
    (complaint, *_) = caught.value.complaints
    assert (complaint.line, complaint.field) == (line, field)
    assert message in complaint.message


def test_every_field_of_a_reminder_is_read() -> None:
    found = read_automation(REMINDING, "automation.yml")
    waits, once = found.reminders
    assert (waits.code, waits.is_on, waits.to, waits.at_most) == ("waits", False, ("owner", "team_lead"), 3)
    assert waits.after == CountedSpan(timedelta(hours=4), is_working=True)
    assert waits.every == CountedSpan(timedelta(days=1))
    assert (once.is_on, once.to, once.at_most, once.every) == (True, (OWNER,), 1, None)
    assert once.after == CountedSpan(timedelta(minutes=90))
    assert set(found.hours.calendars) == set(Market)
    assert (found.acts, found.reminds) == (False, True)


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "message"),
    [
        ("after: 4h working", "after: 4h", 6, "rules[0].remind.after", "a span and `working` or `elapsed`"),
        ("after: 4h working", "after: soon elapsed", 6, "rules[0].remind.after", "is not a span"),
        ("after: 4h working", "after: 2d working", 6, "rules[0].remind.after", "no fixed length"),
        ("after: 4h working", "after: 0m elapsed", 6, "rules[0].remind.after", "longer than nothing"),
        ("after: 4h working", "after: 367d elapsed", 6, "rules[0].remind.after", "at most 366 days"),
        ("every: 1d elapsed", "every: 0h working", 6, "rules[0].remind.every", "longer than nothing"),
        (", at_most: 3", "", 6, "rules[0].remind.every", "at_most is missing"),
        ("every: 1d elapsed, ", "", 6, "rules[0].remind.at_most", "says nothing without every"),
        ("at_most: 3", "at_most: 1", 6, "rules[0].remind.at_most", "from 2 to 100"),
        ("at_most: 3", "at_most: 101", 6, "rules[0].remind.at_most", "from 2 to 100"),
        ("at_most: 3", "at_most: -3", 6, "rules[0].remind.at_most", "from 2 to 100"),
        ("[owner, team_lead]", "[]", 6, "rules[0].remind.to", "at least one role"),
        ("[owner, team_lead]", "Team Leader", 6, "rules[0].remind.to", "lower-case"),
        ("[owner, team_lead]", "[owner, owner]", 6, "rules[0].remind.to[1]", "named twice"),
        ("to: [", "who: [", 6, "rules[0].remind.who", "not a known name"),
        ("waits_for: house", "waits_for: godot", 5, "rules[0].when.waits_for", "is not one of"),
        ("on: false", "do: [{stage: next}]", 4, "rules[0].do", "not a known name"),
        ("on: false", "held_back: 0.5", 4, "rules[0].held_back", "not a known name"),
        ("rule: once", "rule: waits", 7, "rules[1].rule", "defined twice"),
        ("HK: office", "HK: home", 12, "markets.HK", "no calendar 'home'"),
        ("HK: office, ", "", 12, "markets", "HK is missing"),
        ("markets: {HK: office, CN: office, TW: office}\n", "", 11, "calendars", "says nothing without markets"),
        ('["09:00", "18:00"]', '["19:00", "18:00"]', 11, "calendars.office.weekly.mon[0]", "must end after it starts"),
        ("Asia/Hong_Kong", "Asia/Atlantis", 11, "calendars.office.timezone", "no time zone"),
    ],
)
def test_nonsense_about_reminders_is_refused_with_its_place(
    old: str, new: str, line: int, field: str, message: str
) -> None:
    assert old in REMINDING
    with pytest.raises(InvalidDocument) as caught:
        read_automation(REMINDING.replace(old, new, 1), "automation.yml")
    (complaint, *_) = caught.value.complaints
    assert (complaint.line, complaint.field) == (line, field)
    assert message in complaint.message


def test_working_time_asks_for_calendars() -> None:
    text = REMINDING.partition("calendars:")[0]
    with pytest.raises(InvalidDocument, match=r"line 6, rules\[0\]\.remind\.after: working time needs calendars"):
        read_automation(text, "automation.yml")
    assert len(read_automation(text.replace("4h working", "4h elapsed"), "automation.yml").reminders) == 2


def with_rules(rules: str) -> str:
    return f'format: "1"\nrules:\n{rules}'


def complaints(text: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDocument) as caught:
        read_automation(text, "automation.yml")
    return [(complaint.field, complaint.message) for complaint in caught.value.complaints]


def test_rules_of_more_steps_than_anybody_writes_are_refused_before_a_step_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = ", ".join(["{stage: next}"] * 2_000)
    first = f"  - {{rule: r0, when: {{kind: claim}}, do: &all [{steps}]}}\n"
    others = "".join(f"  - {{rule: r{n}, when: {{kind: claim}}, do: *all}}\n" for n in range(1, 500))
    monkeypatch.setattr(reading, "_step", None)
    assert complaints(with_rules(first + others)) == [
        (f"rules[{n}].do", "holds 2000 steps; at most 20 are taken") for n in range(500)
    ]


def test_more_rules_than_anybody_writes_are_refused() -> None:
    rules = "".join(f"  - {{rule: r{n}, when: {{kind: claim}}, do: {{stage: next}}}}\n" for n in range(501))
    assert complaints(with_rules(rules)) == [("rules", "holds 501 rules; at most 500 are taken")]
    assert len(read_automation(with_rules(rules[: rules.index("  - {rule: r500")]), "automation.yml").rules) == 500


@pytest.mark.parametrize(
    "rule",
    [
        "{rule: rN, when: {product_line: &all [WORDS]}, do: {stage: next}}",
        "{rule: rN, when: {kind: claim}, do: {control: a, recorded: &all {PAIRS}}}",
        "{rule: rN, when: {kind: claim}, remind: {after: 1h elapsed, to: &all [WORDS]}}",
    ],
)
def test_what_aliases_make_of_a_text_is_bounded(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ", ".join(f"w{n}" for n in range(2_000))
    first = rule.replace("WORDS", words).replace("PAIRS", ", ".join(f"w{n}: 1" for n in range(2_000)))
    again = re.sub(r"&all [\[{].*?[\]}]", "*all", rule)
    text = "".join(f"  - {(again if n else first).replace('rN', f'r{n}')}\n" for n in range(200))
    monkeypatch.setattr(reading, "_new_code", None)
    ((field, message),) = complaints(with_rules(text))
    assert (field, message[:32]) == ("document", "stands for more than 100000 valu")


def test_a_text_that_holds_itself_is_refused() -> None:
    rule = "  - {rule: a, when: &all {all: [*all]}, do: {stage: next}}\n"
    assert complaints(with_rules(rule))[0][0] == "document"


@given(st.data())
def test_whatever_is_done_to_the_file_it_is_read_or_refused(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([TEXT, REMINDING, SHIPPED]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    with suppress(InvalidDocument):
        read_automation(text[:start] + data.draw(st.text(max_size=20)) + text[end:], "automation.yml")
