"""docs/howto/change-a-policy.md: its examples can be used, and its tables leave nothing out."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest

import services.sla_timer
from services.sla_timer.domain.policy_objectives import FIELDS, SHAPES
from services.sla_timer.domain.policy_words import EVENTS
from services.sla_timer.domain.rulebook import RuleSources, lint, read_rulebook
from services.sla_timer.domain.spans import read_counted_span
from shared.rules.document import Document
from shared.rules.reading import read_condition
from shared.rules.spans import read_span

PAGE = (Path(__file__).parents[3] / "docs" / "howto" / "change-a-policy.md").read_text(encoding="utf-8")
CALENDARS = (Path(services.sla_timer.__file__).with_name("data") / "calendars.yml").read_text(encoding="utf-8")
EXAMPLE, MORE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def section(name: str) -> str:
    return PAGE.split(f"### {name}\n")[1].split("\n### ")[0]


def test_the_example_can_be_used_and_nothing_is_odd_about_it() -> None:
    assert lint(RuleSources(EXAMPLE, CALENDARS)) == []


def test_the_further_objectives_can_be_added_to_the_example() -> None:
    text = EXAMPLE.replace("    objectives:\n", f"    objectives:\n{indent(MORE, ' ' * 6)}", 1)
    policy = read_rulebook(RuleSources(text, CALENDARS)).policies[0]
    assert {"update", "handling", "survey", "second_check"} < set(policy.codes)
    assert lint(RuleSources(text, CALENDARS)) == []


def test_the_table_has_every_field_of_an_objective_and_every_kind() -> None:
    rows = re.findall(r"^\| (`.*?) \|", section("Objectives"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)", row)}
    assert named == FIELDS | SHAPES.keys()


def test_every_event_is_named_and_no_other() -> None:
    (listed,) = re.findall(r"^Events: (.*?)\. A submission", section("Objectives"), re.MULTILINE | re.DOTALL)
    assert {name.partition(":")[0] for name in re.findall(r"`([^`]+)`", listed)} == EVENTS


@pytest.mark.parametrize(
    "condition", re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`.*?) \|", section("Conditions"), re.MULTILINE)))
)
def test_every_condition_of_the_table_can_be_used(condition: str) -> None:
    condition = condition.replace("[...]", "[{kind: claim}]").replace("{...}", "{kind: claim}")
    read_condition(Document(f"{{{condition}}}", "change-a-policy.md").root)


@pytest.mark.parametrize("span", re.findall(r"`(\d[\dhdm]+)`", section("Bounds")))
def test_every_span_of_the_page_is_one(span: str) -> None:
    assert read_span(span) == read_counted_span(f"{span} elapsed")[0]
