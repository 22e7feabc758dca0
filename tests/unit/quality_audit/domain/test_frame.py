from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality_audit.domain.frame import Digest, Unit, differences, frame_unit
from services.quality_audit.domain.plan import Facts
from services.quality_audit.domain.plan_text import parse_plan
from services.quality_audit.domain.selection import UnitId
from services.quality_audit.settings import PLAN_OF_THE_HOUSE
from shared.contracts.payload import RequestKind

PLAN = parse_plan(PLAN_OF_THE_HOUSE.read_text(encoding="utf-8")).plan
MASTER = b"a secret of the tests, 32 bytes or so"
CLOSED_AT = datetime(2026, 11, 22, 10, tzinfo=UTC)

facts = st.builds(
    Facts,
    st.sampled_from(RequestKind),
    st.sampled_from(["paid", "declined", "withdrawn"]),
    st.none() | st.booleans(),
    st.dictionaries(st.just("amount"), st.integers(0, 300_000)),
)
closings = st.tuples(
    st.builds(UnitId, st.uuids(), st.just(1)),
    facts,
    st.integers(0, 200).map(lambda days: CLOSED_AT + timedelta(days=days)),
)


def framed(closing: tuple[UnitId, Facts, datetime]) -> Unit:
    return frame_unit(*closing, PLAN, MASTER)


@given(st.lists(closings, max_size=30))
def test_the_order_of_closings_does_not_matter(given_closings: list[tuple[UnitId, Facts, datetime]]) -> None:
    forwards = [framed(closing) for closing in given_closings]
    backwards = [framed(closing) for closing in reversed(given_closings)]
    assert forwards == backwards[::-1]


@given(closings)
def test_ticket_and_limit_tell_the_decision(closing: tuple[UnitId, Facts, datetime]) -> None:
    unit = framed(closing)
    assert unit.is_sampled == (unit.limit is None or unit.ticket < unit.limit)
    assert unit.stratum == f"{unit.facts.kind}.{unit.risk}"


@given(closings)
def test_a_true_line_is_proved(closing: tuple[UnitId, Facts, datetime]) -> None:
    assert list(differences([framed(closing)], PLAN, MASTER)) == []


UNIT = framed((UnitId(UUID(int=7), 1), Facts(RequestKind.CLAIM, "paid", False, {}), CLOSED_AT))


@pytest.mark.parametrize(
    ("altered", "what"),
    [
        (replace(UNIT, is_sampled=not UNIT.is_sampled), {"is_sampled"}),
        (replace(UNIT, rate=0.2), {"rate"}),
        (replace(UNIT, ticket="0" * 16), {"ticket"}),
        (replace(UNIT, limit=None), {"limit"}),
        (replace(UNIT, risk="breached"), {"risk"}),
        (replace(UNIT, period="2026Q3"), {"period"}),
        (replace(UNIT, id=UnitId(UUID(int=8), 1)), {"ticket"}),
        (replace(UNIT, facts=replace(UNIT.facts, is_breached=True)), {"risk", "rate", "limit"}),
    ],
)
def test_an_altered_line_is_found(altered: Unit, what: set[str]) -> None:
    assert what <= {difference.what for difference in differences([altered], PLAN, MASTER)}


def test_another_plan_or_secret_proves_nothing() -> None:
    other = PLAN.model_copy(update={"risks": (PLAN.risks[-1].model_copy(update={"rate": 0.3}),)})
    assert list(differences([UNIT], other, MASTER))
    assert list(differences([UNIT], PLAN, b"another secret"))


@given(st.lists(closings, min_size=1, max_size=10), st.data())
def test_the_digest_changes_with_any_line(
    given_closings: list[tuple[UnitId, Facts, datetime]], data: st.DataObject
) -> None:
    lines = [framed(closing) for closing in given_closings]
    number = data.draw(st.integers(0, len(lines) - 1))

    def digest(given_lines: list[Unit]) -> str:
        found = Digest()
        for line in given_lines:
            found.add(line)
        return found.text()

    shorter = lines[:number] + lines[number + 1 :]
    later = replace(lines[number], closed_at=lines[number].closed_at + timedelta(microseconds=1))
    assert digest(lines) != digest(shorter)
    assert digest(lines) != digest([*lines[:number], later, *lines[number + 1 :]])
