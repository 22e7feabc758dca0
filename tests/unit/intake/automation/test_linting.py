"""Rules that can be used but may not do what was meant are remarked on, with their place."""

from __future__ import annotations

import pytest

from services.intake.domain.automation.linting import Remark, remark_on_automation
from services.intake.domain.automation.reading import read_automation
from tests.unit.intake.shipped import AUTOMATION


def remarks(text: str) -> list[Remark]:
    return remark_on_automation(read_automation(text, "automation.yml"), text, "automation.yml")


def on_rules(*rules: str) -> list[Remark]:
    return remarks('format: "1"\nrules:\n' + "".join(f"  - {rule}\n" for rule in rules))


def test_nothing_is_remarked_on_what_ships() -> None:
    assert remarks(AUTOMATION) == []


@pytest.mark.parametrize("step", ["{stage: next}", "{close: paid}"])
def test_a_rule_that_moves_on_as_soon_as_nothing_is_missing_is_remarked_on(step: str) -> None:
    (remark,) = on_rules(
        "{rule: signals, when: {is_complete: true}, do: [{signal: told}]}",
        f"{{rule: hasty, when: {{kind: claim, is_complete: true}}, do: [{step}]}}",
        f"{{rule: careful, when: {{is_complete: true, controls_passed: {{at_least: 1}}}}, do: [{step}]}}",
        f"{{rule: unready, when: {{is_complete: false}}, do: [{step}]}}",
    )
    assert (remark.line, remark.rule) == (4, "hasty")
    assert "ask controls_passed" in remark.message


def circle(there: str, back: str) -> list[Remark]:
    return on_rules(
        f"{{rule: there, when: {{{there}}}, do: [{{assign: a}}, {{stage: documents}}]}}",
        "{rule: waits, when: {stage: [assessment, documents]}, remind: {after: 1h elapsed}}",
        f"{{rule: back, on: false, when: {{{back}}}, do: [{{stage: assessment}}]}}",
    )


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("stage: assessment", "stage: [documents, survey]"),
        ("stage: assessment, kind: claim", "all: [{stage: documents}, {kind: [claim, enquiry]}]"),
        ("stage: assessment, amount: {at_most: 5}", "stage: documents, amount: {at_least: 5}"),
        ("stage: assessment, amount: {above: 5}", "stage: documents, amount: 7"),
    ],
)
def test_two_rules_that_undo_each_other_are_remarked_on(there: str, back: str) -> None:
    (remark,) = circle(there, back)
    assert (remark.line, remark.rule) == (3, "there")
    assert remark.message.startswith("leads in a circle with back: from assessment to documents and back")


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("stage: assessment", "stage: survey"),
        ("stage: assessment, kind: claim", "stage: documents, kind: enquiry"),
        ("stage: assessment, documents_missing: {at_least: 1}", "stage: documents, documents_missing: {at_most: 0}"),
        ("stage: assessment, amount: {below: 5}", "stage: documents, amount: {at_least: 5}"),
        ("stage: assessment, amount: {above: 5}", "stage: documents, amount: {at_most: 5}"),
        ("kind: claim", "kind: claim"),
    ],
)
def test_rules_that_cannot_both_apply_are_no_circle(there: str, back: str) -> None:
    assert circle(there, back) == []
