"""A mistake in the plan file is told with file, line and field."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.quality_audit.domain.frame import frame_unit
from services.quality_audit.domain.plan import Facts
from services.quality_audit.domain.plan_text import PlanRefused, parse_plan
from services.quality_audit.domain.selection import UnitId
from shared.contracts.payload import Code, RequestKind

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)

GOOD = """\
version: 3
confidence: 0.95
targets:
  accuracy: 0.98
  completeness: 0.98
  timeliness: 0.95
risks:
  - name: breached
    when: {is_breached: true}
    rate: 0.5
  - name: ordinary
    rate: 0.1
"""


def message_of(text: str) -> str:
    with pytest.raises(PlanRefused) as refused:
        parse_plan(text, "sampling.yml")
    return str(refused.value)


def test_a_good_plan_is_read() -> None:
    found = parse_plan(GOOD)
    assert found.plan.version == 3
    assert found.plan.risk_names == ("breached", "ordinary")


@pytest.mark.parametrize("kind", RequestKind)
def test_a_stratum_of_the_longest_name_can_be_told(kind: RequestKind) -> None:
    plan = parse_plan(GOOD.replace("ordinary", "o" * 49)).plan
    unit = frame_unit(UnitId(UUID(int=1), 1), Facts(kind, "paid", None, {}), NOW, plan, b"secret")
    assert TypeAdapter(Code).validate_python(unit.told_stratum) == unit.stratum


def test_a_plan_that_a_period_keeps_is_read_with_a_longer_name_and_the_stratum_is_cut_when_told() -> None:
    plan = parse_plan(GOOD.replace("ordinary", "o" * 64), is_stored=True).plan
    facts = Facts(RequestKind.CLAIM, "paid", None, {})
    unit = frame_unit(UnitId(UUID(int=1), 1), facts, NOW, plan, b"secret")
    assert (unit.risk, unit.told_stratum) == ("o" * 64, "claim." + "o" * 58)
    assert TypeAdapter(Code).validate_python(unit.told_stratum)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rate: 0.5", "rate: 1.5", "sampling.yml, line 10: risks.0.rate: Input should be less than or equal to 1"),
        ("rate: 0.5", "rate: 0.001", "sampling.yml, line 10: risks.0.rate: Input should be greater than or equal"),
        ("rate: 0.1", "rate: often", "sampling.yml, line 12: risks.1.rate: Input should be a valid number"),
        ("    rate: 0.1\n", "", "sampling.yml, line 11: risks.1.rate: Field required"),
        ("accuracy: 0.98", "accuracy: 98", "sampling.yml, line 4: targets.accuracy: Input should be less than 1"),
        ("  timeliness: 0.95\n", "", "sampling.yml, line 3: targets.timeliness: Field required"),
        ("confidence: 0.95\n", "", "sampling.yml, line 1: confidence: Field required"),
        ("version: 3", "version: 0", "sampling.yml, line 1: version: Input should be greater than or equal to 1"),
        ("version: 3", "version: 202611270900", "sampling.yml, line 1: version: Input should be less than or equal to"),
        (
            "name: ordinary",
            f"name: {'o' * 50}",
            "sampling.yml, line 11: risks.1.name: Value error, has more than 49 char",
        ),
        ("version: 3", "version: 3\nrate: 1", "sampling.yml, line 2: rate: Extra inputs are not permitted"),
        ("is_breached: true", "is_broken: true", "sampling.yml, line 9: risks.0.when.is_broken: Extra inputs"),
        ("{is_breached: true}", "{}", "line 9: risks.0.when: Value error, needs is_breached, outcomes, or attribute"),
        ("{is_breached: true}", "{attribute: amount}", "line 9: risks.0.when: Value error, attribute and at_least go"),
        ("name: ordinary", "name: breached", "sampling.yml, line 7: risks: Value error, two risks have the same name"),
        ("name: ordinary", "name: ordinary\n    when: {is_breached: false}", "the last risk takes what is left over"),
        ("    when: {is_breached: true}\n", "", "line 7: risks: Value error, only the last risk may do without"),
        ("name: ordinary", "name: very ordinary", "line 11: risks.1.name: String should match pattern"),
        ("rate: 0.5", "rate: 0.5\n    rates: {hotline: 0.2}", "line 11: risks.0.rates.hotline"),
        ("version: 3", "version: 3\nversion: 4", "sampling.yml, line 2: version: is given twice"),
        ("rate: 0.5", "rate: 0.5\n    rate: 0.4", "sampling.yml, line 11: risks.0.rate: is given twice"),
        ("targets:", "targets", "sampling.yml, line 4: could not find expected ':'"),
        ("rate: 0.5", "rate: [0.5", "sampling.yml, line 11:"),
        ("rate: 0.5", "rate: !!python/name:os.system x", "could not determine a constructor"),
    ],
)
def test_a_mistake_is_named_with_line_and_field(old: str, new: str, message: str) -> None:
    assert old in GOOD
    assert message in message_of(GOOD.replace(old, new, 1))


def test_all_mistakes_are_told_at_once() -> None:
    text = GOOD.replace("rate: 0.5", "rate: 7").replace("accuracy: 0.98", "accuracy: high")
    assert message_of(text).count("sampling.yml, line") == 2


@pytest.mark.parametrize("text", ["", "- a", "just words", "42"])
def test_a_text_that_is_no_mapping_is_refused(text: str) -> None:
    assert "must be a mapping" in message_of(text)


@given(st.text())
def test_any_text_is_a_plan_or_refused(text: str) -> None:
    with pytest.raises(PlanRefused):
        parse_plan(text)


def test_the_digest_follows_the_text() -> None:
    assert parse_plan(GOOD).digest != parse_plan(GOOD + "# changed\n").digest
