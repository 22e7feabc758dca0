"""The process engine through the API and Postgres, by property: whatever is called in whatever order, and at once.

That the pure engine agrees with the definition is shown in tests/unit/intake/domain/test_life.py.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.contracts.envelope import Event, format_instant
from shared.contracts.payload import Payload
from shared.contracts.topics import REQUESTS
from tests.integration.intake.every_call import DOUBTFUL, calls_of, drawn, make
from tests.integration.intake.front_door import START, Intake, write
from tests.integration.intake.lawful import DEFINITIONS, LawfulLife

_EXAMPLES = 25
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a life that fails is reported as it is, within the time


@dataclass(frozen=True)
class Call:
    """Attributes:
    lot: which of the calls it is.
    is_lawful: drawn among those that are lawful by then, so that lives come far; otherwise among all.
    twin: lot of another call made at the same moment.
    is_repeated: made once more with its key.
    after: how long after the call before it.
    late: how long before that it happened; None where the call does not say when.
    """

    lot: int
    is_lawful: bool
    twin: int | None
    is_repeated: bool
    after: timedelta
    late: timedelta | None


lots = st.integers(0, 9_999)
spans = st.integers(0, 60 * 24 * 30).map(lambda minutes: timedelta(minutes=minutes))
steps = st.builds(
    Call,
    lots,
    st.sampled_from([True, True, False]),
    st.none() | st.none() | lots,
    st.booleans(),
    spans,
    st.none() | st.none() | spans,
)
lives = st.tuples(
    st.sampled_from(sorted(DEFINITIONS)).map(DEFINITIONS.__getitem__),
    st.sampled_from([{}, {}, DOUBTFUL]),
    st.lists(steps, min_size=10, max_size=16),
)


async def submitted(intake: Intake, definition: dict[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    lines = definition.get("product_lines")
    view = await intake.submit(
        kind=definition["kind"],
        product_line=lines[0] if lines else "none_of_these",
        attributes={"workshop": "HK-017", **attributes},
    )
    assert view["process"] == definition["process"]
    return view


@pytest.mark.timeout(300)
# Examples may share the tables: each looks at its own request alone.
@settings(
    max_examples=_EXAMPLES,
    phases=_PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(lives)
async def test_no_sequence_of_calls_leads_where_the_definition_forbids_and_the_history_gives_the_state(
    intake: Intake, lived: tuple[dict[str, Any], dict[str, Any], list[Call]]
) -> None:
    definition, attributes, calls = lived
    other = (await intake.submit())["reference"]
    view = await submitted(intake, definition, attributes)
    reference, version = view["reference"], 0
    life = LawfulLife(definition, view["attributes"], view["product_line"])
    for call in [None, *calls]:
        if call is not None:
            view = await one_step(intake, view, other, call, life)
        for entry in view["history"][version:]:
            assert life.follow(entry) == []
        assert shown(view, life.stands) == life.stands
        version = view["version"]
    proof = (await intake.staff.get(f"/v1/requests/{reference}/verification")).json()
    assert (proof["entries"], proof["problems"]) == (version, [])
    told = await intake.told_about(REQUESTS, view["id"])
    assert Counter(map(_as_entry, told)) == Counter(map(_as_told, view["history"]))


def shown(view: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """In which order documents were asked for is no matter of this test."""
    awaited = {reason: sorted(documents) for reason, documents in view["awaited"].items()}
    return {name: awaited if name == "awaited" else view[name] for name in names}


def _as_entry(event: Event[Payload]) -> tuple[int, str, str | None, str | None]:
    return event.sequence, format_instant(event.occurred_at), event.author, event.cause


def _as_told(entry: dict[str, Any]) -> tuple[int, str, str, str]:
    """What its event has to say: who, when and why."""
    at = format_instant(datetime.fromisoformat(entry["occurred_at"]))
    return entry["sequence"], at, entry["by"], entry["cause"] or "call"


async def one_step(intake: Intake, before: dict[str, Any], other: str, call: Call, life: LawfulLife) -> dict[str, Any]:
    """One call, or two at the same moment; what the API shows afterwards."""
    intake.clock.advance(call.after)
    now, reference, version = intake.clock.now(), before["reference"], before["version"]
    at = now if call.late is None else max(now - call.late, datetime.fromisoformat(before["submitted_at"]))
    calls = calls_of(life.definition, other)
    lawful = [each for each in calls if not life.objections(*each, at)]
    verb, body = drawn(lawful if call.is_lawful else calls, call.lot)
    asked = [(verb, body if call.late is None else body | {"occurred_at": at.isoformat()})]
    asked += [] if call.twin is None else [drawn(calls, call.twin)]
    expected = [life.objections(*each, when) for each, when in zip(asked, (at, now), strict=False)]
    keys = [write() for _ in asked]
    answers = await asyncio.gather(
        *(make(intake, reference, *each, key) for each, key in zip(asked, keys, strict=True))
    )
    assert {each.status_code for each in answers} <= {200, 201, 409, 422}, [each.text for each in answers]
    for refused in (each.json() for each in answers if each.status_code == 422):
        assert [error["field"] for error in refused["errors"]] == ["occurred_at"]
        assert refused["errors"][0]["message"] in {
            "lies before the request was closed",
            "lies before the request was reopened",
        }
    taken = [each for each in answers if each.is_success]
    if call.twin is None:
        assert bool(taken) == (expected[0] == []), (asked, expected, answers[0].text)
    elif [] in expected:
        assert taken, (asked, expected)
    if call.is_repeated and answers[0].is_success:
        again = await make(intake, reference, *asked[0], keys[0])
        assert again.content == answers[0].content
    view: dict[str, Any] = (await intake.app.get(f"/v1/requests/{reference}")).json()
    moved = [each.json()["version"] for each in taken if each.status_code == 200]
    opened = [each.json()["version"] for each in taken if each.status_code == 201]  # of the request that was opened
    assert len(set(moved)) == len(moved), "two calls made the same entry"
    assert view["version"] >= max(moved, default=version) + (not moved and bool(opened))
    assert opened or view["version"] == max(moved, default=version)
    return view


_BEGUN = [("submitted", {}), ("stage_entered", {"stage": "assessment"})]
_CLOSED = [*_BEGUN, ("closed", {"outcome": "withdrawn"})]
_REOPENED = ("reopened", {"reason": "new_evidence"})
UNLAWFUL: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "no way from received": [("submitted", {}), ("stage_entered", {"stage": "payment"})],
    "nothing to leave for": [
        *_BEGUN,
        ("control_recorded", {"control": "cover_checked", "is_passed": True}),
        ("stage_left", {}),
        ("stage_left", {}),
    ],
    "no outcome at assessment": [*_BEGUN, ("closed", {"outcome": "lost"})],
    "no reason for it": [*_BEGUN, ("closed", {"outcome": "declined", "reason": "mood"})],
    "it did not wait for that": [*_BEGUN, ("resumed", {"reason": "third_party"})],
    "no further reason to pause": [*_BEGUN, *[("paused", {"reason": "third_party"})] * 2],
    "amount_is_odd was not judged": [
        ("submitted", {}),
        ("doubted", {"findings": {"amount_is_odd": ["amount"]}}),
        _BEGUN[1],
        ("closed", {"outcome": "declined", "reason": "not_covered"}),
    ],
    "nobody doubts that": [*_BEGUN, ("finding_confirmed", {"rule": "amount_is_odd"})],
    "no process for it": [*_BEGUN, ("process_changed", {"process": "claim", "stage": "assessment"})],
    "it does not go on where it may": [
        *_BEGUN,
        ("changed", {"product_line": "marine"}),
        ("process_changed", {"process": "claim", "stage": "payment"}),
    ],
    "no way from assessment": [*_BEGUN, ("stage_entered", {"stage": "payment"})],
    "cover_checked was not passed": [
        *_BEGUN,
        ("control_recorded", {"control": "cover_checked", "is_passed": True}),
        ("stage_left", {}),
        ("control_recorded", {"control": "cover_checked", "is_passed": False}),
        ("stage_entered", {"stage": "decision"}),
    ],
    "it was acknowledged before": [*_BEGUN, *[("acknowledged", {})] * 2],
    "it was submitted before": [("submitted", {}), ("submitted", {})],
    "it does not begin with the submission": [("responded", {})],
    "it had ended closed": [*_CLOSED, ("responded", {})],
    "it was not closed": [*_BEGUN, _REOPENED],
    "no reason to reopen": [*_CLOSED, ("reopened", {"reason": "mood"})],
    "it was assigned so before": [*_BEGUN, *[("assigned", {"team": "claims_a"})] * 2],
    "all documents are there and it does not go on": [
        *_BEGUN,
        ("paused", {"reason": "third_party", "documents": ["report"]}),
        ("documents_received", {"documents": ["report"]}),
        ("noted", {}),
    ],
    "it does not go on": [
        *_BEGUN,
        ("paused", {"reason": "third_party", "documents": ["report"]}),
        ("attached", {"document": "report"}),
        ("noted", {}),
    ],
    "reopened into another stage": [*_CLOSED, _REOPENED, ("stage_entered", {"stage": "payment"})],
    "no such control point here": [*_BEGUN, ("control_recorded", {"control": "horoscope_read", "is_passed": True})],
    "no reason to cancel": [*_BEGUN, ("cancelled", {"reason": "mood"})],
    "too late to reopen": [*_CLOSED, *[("noted", {})] * 90, _REOPENED],
}


@pytest.mark.parametrize("objection", UNLAWFUL)
def test_the_reader_of_histories_finds_what_is_unlawful(objection: str) -> None:
    """A day lies between one entry of a motor claim and the next; the last one is wrong."""
    life = LawfulLife(DEFINITIONS["claim_motor"], {"amount": 7}, "motor")
    *lawful, wrong = [
        {"sequence": n, "type": kind, "data": data, "occurred_at": (START + timedelta(days=n)).isoformat()}
        for n, (kind, data) in enumerate(UNLAWFUL[objection], 1)
    ]
    assert [life.follow(entry) for entry in lawful] == [[]] * len(lawful)
    found = life.follow(wrong)
    assert found
    assert objection in found[0]


def test_the_reader_of_histories_misses_an_entry_that_is_not_there() -> None:
    life = LawfulLife(DEFINITIONS["enquiry"], {})
    entry = {"sequence": 2, "type": "submitted", "data": {}, "occurred_at": START.isoformat()}
    assert life.follow(entry) == ["entry 2, submitted {}: number 1 is missing or there twice"]


def test_the_reader_judges_an_assignment_by_what_it_assigns_whenever_it_is_said_to_have_been() -> None:
    life = LawfulLife(DEFINITIONS["enquiry"], {})
    late = {"handler": None, "occurred_at": START.isoformat()}
    assert life.objections("assign", late, START) == ["it was assigned so before"]
