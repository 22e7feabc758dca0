"""Rules of automation as files: every field is read, and a wrong one is refused with its place."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.automation.reading import read_automation
from services.intake.domain.automation.rules import AssignStep, CloseStep, RecordStep, SignalStep, StageStep
from shared.contracts.payload import AttributeValue
from shared.rules.document import InvalidDocument
from tests.unit.intake.shipped import AUTOMATION

SHIPPED = AUTOMATION

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


def test_the_rules_on_the_page_can_be_used() -> None:
    page = (Path(__file__).parents[4] / "docs" / "howto" / "automate.md").read_text(encoding="utf-8")
    text = page.partition("```yaml\n")[2].partition("```")[0]
    assert [rule.is_on for rule in read_automation(text, "automate.md").rules] == [True, True]


def test_nothing_that_ships_is_switched_on() -> None:
    shipped = read_automation(SHIPPED, "automation.yml")
    assert shipped.rules
    assert not any(rule.is_on for rule in shipped.rules)


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "message"),
    [
        ('format: "1"', 'format: "2"', 1, "format", "reads format 1"),
        ("rule: small", "rule: Small", 3, "rules[0].rule", "lower-case"),
        ("kind: claim", "kind: lottery", 4, "rules[0].when.kind", "is not one of"),
        ("is_complete: true", "is_complete: perhaps", 4, "rules[0].when.is_complete", "is not one of false, true"),
        ("held_back: 0.25", "held_back: 2", 5, "rules[0].held_back", "between 0 and 1"),
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


@given(st.data())
def test_whatever_is_done_to_the_file_it_is_read_or_refused(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([TEXT, SHIPPED]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    with suppress(InvalidDocument):
        read_automation(text[:start] + data.draw(st.text(max_size=20)) + text[end:], "automation.yml")
