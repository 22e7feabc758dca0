"""The process engine through the API and Postgres, by property: whatever is called in whatever order, and at once.

That the pure engine agrees with the definition is shown in tests/unit/intake/domain/test_life.py.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.contracts.envelope import Event, format_instant
from shared.contracts.payload import Payload
from shared.contracts.topics import REQUESTS
from tests.integration.intake.front_door import START, Intake, write
from tests.integration.intake.lawful import DEFINITIONS, LawfulLife, control_points

_EXAMPLES = 25
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a life that fails is reported as it is, within the time
_WEIGHTS = {"stage": 7, "control": 6, "close": 3, "pause": 2, "documents": 2}


Asked = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Call:
    """Attributes:
    lot: which of the calls it is.
    is_lawful: drawn among those that are lawful by then, so that lives come far; otherwise among all.
    twin: lot of another call made at the same moment.
    is_repeated: made once more with its key.
    after: how long after the call before it.
    """

    lot: int
    is_lawful: bool
    twin: int | None
    is_repeated: bool
    after: timedelta


def calls_of(definition: dict[str, Any]) -> list[Asked]:
    """Every call in the words of the process, and one of each kind in words that it does not know."""
    controls = {n: asked for stage in definition["stages"].values() for n, asked in control_points(stage).items()}
    outcomes = [(o, r) for o, asked in definition["outcomes"].items() for r in asked.get("reasons", [None])]
    pauses = [*definition["pauses"], "lunch"]
    recorded = {field: 1 for asked in controls.values() for field in asked}
    return [
        *(("stage", {"stage": stage}) for stage in [*definition["stages"], "nowhere"]),
        ("leave", {}),
        *(("control", {"control": name, "recorded": recorded}) for name in [*controls, "horoscope_read"]),
        *(("control", {"control": name}) for name in controls),
        *(("control", {"control": name, "recorded": recorded, "passed": False}) for name in controls),
        *(("pause", {"reason": reason}) for reason in pauses),
        *(("resume", {"reason": reason}) for reason in pauses),
        *(("close", {"outcome": o} | ({"reason": r} if r else {})) for o, r in [*outcomes, ("lost", None)]),
        ("close", {"outcome": outcomes[0][0], "reason": "mood"}),
        *(("reopen", {"reason": reason}) for reason in [*definition["reopening"]["reasons"], "boredom"]),
        *(("cancel", {"reason": reason}) for reason in [definition["cancelling"][0], "boredom"]),
        *(("pause", {"reason": reason, "documents": ["receipts", "report"]}) for reason in definition["pauses"]),
        *(("documents", {"documents": sent}) for sent in (["receipts"], ["report"], ["report", "receipts"], ["x_ray"])),
        *(("assign", {"team": team}) for team in ("claims_a", "claims_b", None)),
        *(("assign", {"handler": handler}) for handler in ("s-1", None)),
        ("assign", {"team": "claims_b", "handler": "s-2"}),
        ("extend", {"objective": "resolution", "seconds": 60, "reason": "expert", "approved_by": "s-9"}),
        ("signal", {"signal": "all_there"}),
        ("message", {"text": "m"}),
        ("inform", {}),
        ("acknowledge", {}),
        ("response", {}),
        ("note", {"text": "n"}),
        ("change", {"reason": "called", "attributes": {"amount": 7}}),
        ("change", {"reason": "called", "attributes": {"amount": 8}}),
    ]


def drawn(calls: list[Asked], lot: int) -> Asked:
    """However many words a verb has; what moves a request through its stages is likelier than the rest."""
    verbs = [verb for verb in dict.fromkeys(verb for verb, _ in calls) for _ in range(_WEIGHTS.get(verb, 1))]
    of_one = [call for call in calls if call[0] == verbs[lot % len(verbs)]]
    return of_one[lot // len(verbs) % len(of_one)]


lots = st.integers(0, 999)
steps = st.builds(
    Call,
    lots,
    st.sampled_from([True, True, False]),
    st.none() | st.none() | lots,
    st.booleans(),
    st.integers(0, 60 * 24 * 30).map(lambda minutes: timedelta(minutes=minutes)),
)
lives = st.tuples(
    st.sampled_from(sorted(DEFINITIONS)).map(DEFINITIONS.__getitem__), st.lists(steps, min_size=10, max_size=16)
)


async def make(intake: Intake, reference: str, verb: str, body: dict[str, Any], key: dict[str, str]) -> httpx.Response:
    client = intake.staff if verb == "extend" else intake.app  # no channel may
    return await client.post(f"/v1/requests/{reference}/{verb}", json=body, headers=key)


async def submitted(intake: Intake, definition: dict[str, Any]) -> dict[str, Any]:
    lines = definition.get("product_lines")
    view = await intake.submit(
        kind=definition["kind"],
        product_line=lines[0] if lines else "none_of_these",
        attributes={"workshop": "HK-017"},
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
    intake: Intake, lived: tuple[dict[str, Any], list[Call]]
) -> None:
    definition, calls = lived
    view = await submitted(intake, definition)
    reference, version = view["reference"], 0
    life = LawfulLife(definition, view["attributes"])
    for call in [None, *calls]:
        if call is not None:
            view = await one_step(intake, reference, definition, call, life, version)
        for entry in view["history"][version:]:
            assert life.follow(entry) == []
        assert {name: view[name] for name in life.stands} == life.stands
        version = view["version"]
    proof = (await intake.staff.get(f"/v1/requests/{reference}/verification")).json()
    assert (proof["entries"], proof["problems"]) == (version, [])
    told = await intake.told_about(REQUESTS, view["id"])
    assert Counter(map(_as_entry, told)) == Counter(map(_as_told, view["history"]))


def _as_entry(event: Event[Payload]) -> tuple[int, str, str | None, str | None]:
    return event.sequence, format_instant(event.occurred_at), event.author, event.cause


def _as_told(entry: dict[str, Any]) -> tuple[int, str, str, str]:
    """What its event has to say: who, when and why."""
    at = format_instant(datetime.fromisoformat(entry["occurred_at"]))
    return entry["sequence"], at, entry["by"], entry["cause"] or "call"


async def one_step(
    intake: Intake, reference: str, definition: dict[str, Any], call: Call, life: LawfulLife, version: int
) -> dict[str, Any]:
    """One call, or two at the same moment; what the API shows afterwards."""
    intake.clock.advance(call.after)
    now = intake.clock.now()
    calls = calls_of(definition)
    lawful = [each for each in calls if not life.objections(*each, now)]
    asked = [drawn(lawful if call.is_lawful else calls, call.lot)]
    asked += [] if call.twin is None else [drawn(calls, call.twin)]
    expected = [life.objections(*each, now) for each in asked]
    keys = [write() for _ in asked]
    answers = await asyncio.gather(
        *(make(intake, reference, *each, key) for each, key in zip(asked, keys, strict=True))
    )
    assert {each.status_code for each in answers} <= {200, 409}, [each.text for each in answers]
    taken = [each for each in answers if each.is_success]
    if call.twin is None:
        assert bool(taken) == (expected[0] == []), (asked, expected, answers[0].text)
    elif [] in expected:
        assert taken, (asked, expected)
    if call.is_repeated and answers[0].is_success:
        again = await make(intake, reference, *asked[0], keys[0])
        assert again.content == answers[0].content
    view: dict[str, Any] = (await intake.app.get(f"/v1/requests/{reference}")).json()
    versions = {each.json()["version"] for each in taken}
    assert len(versions) == len(taken), "two calls made the same entry"
    assert view["version"] == max(versions, default=version)
    return view


_BEGUN = [("submitted", {}), ("stage_entered", {"stage": "assessment"})]
_CLOSED = [*_BEGUN, ("closed", {"outcome": "withdrawn"})]
_REOPENED = ("reopened", {"reason": "new_evidence"})
UNLAWFUL: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "no way from received": [("submitted", {}), ("stage_entered", {"stage": "payment"})],
    "cover_checked was not passed": [*_BEGUN, ("stage_entered", {"stage": "decision"})],
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
    "reopened into another stage": [*_CLOSED, _REOPENED, ("stage_entered", {"stage": "payment"})],
    "no such control point here": [*_BEGUN, ("control_recorded", {"control": "horoscope_read", "is_passed": True})],
    "no reason to cancel": [*_BEGUN, ("cancelled", {"reason": "mood"})],
    "too late to reopen": [*_CLOSED, *[("noted", {})] * 90, _REOPENED],
}


@pytest.mark.parametrize("objection", UNLAWFUL)
def test_the_reader_of_histories_finds_what_is_unlawful(objection: str) -> None:
    """A day lies between one entry of a motor claim and the next; the last one is wrong."""
    life = LawfulLife(DEFINITIONS["claim_motor"], {"amount": 7})
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
