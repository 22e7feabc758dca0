"""The rules of validation.yml at both doors: what cannot be true is refused, and nothing of it is stored."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from services.intake.domain.validation.reading import read_validation
from services.intake.handlers.validation import Validation
from shared.clock import ManualClock
from shared.ids import new_id
from tests.integration.intake.batch_call import NDJSON, line
from tests.integration.intake.front_door import START, SUBMISSION, Gated, Intake, write
from tests.unit.intake.shipped import DATA, SECRET

WRONG: dict[str, Any] = {"attributes": {"amount": -5, "incident_date": "yesterday", "has_photos": "yes"}}
ERRORS = [
    {"field": "attributes.amount", "message": "a sum is not negative"},
    {"field": "attributes.incident_date", "message": "a date is written as 2026-11-22"},
]


async def count(intake: Intake) -> int:
    async with intake.database.connection() as connection:
        number: int = await connection.fetchval("SELECT count(*) FROM request")
    return number


async def test_what_cannot_be_true_is_refused_and_every_field_is_named(intake: Intake) -> None:
    before, key = await count(intake), write()
    answer = await intake.app.post("/v1/requests", json=SUBMISSION | WRONG, headers=key)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:punctual:problem:data_refused"
    assert answer.json()["errors"] == ERRORS
    assert await count(intake) == before
    corrected = await intake.app.post("/v1/requests", json=SUBMISSION, headers=key)
    assert corrected.status_code == 201  # a refused call uses no key up


async def test_a_line_of_a_batch_is_judged_as_a_single_request_is(intake: Intake) -> None:
    gigantic: dict[str, Any] = {"attributes": {"amount": 2_000_000_000}}
    lines = [line(), line(**WRONG), line(**gigantic)]
    answer = await intake.app.post("/v1/requests:batch", content=b"".join(lines), headers=NDJSON)
    good, refused, doubted = (json.loads(each) for each in answer.text.splitlines())
    assert [each["status"] for each in (good, refused, doubted)] == [201, 422, 201]
    assert refused["problem"]["errors"] == ERRORS
    view = (await intake.app.get(doubted["location"])).json()
    assert view["findings"] == {"amount_is_not_gigantic": "open"}
    assert (await intake.staff.get(f"{doubted['location']}/verification")).json()["problems"] == []


async def test_a_repeat_of_a_doubted_request_gets_the_same_answer(intake: Intake) -> None:
    body = SUBMISSION | {"attributes": {"amount": 2_000_000_000}}
    key = write(new_id().hex)
    first = await intake.app.post("/v1/requests", json=body, headers=key)
    second = await intake.app.post("/v1/requests", json=body, headers=key)
    assert (second.content, second.headers["idempotency-replayed"]) == (first.content, "true")


def stricter() -> Validation:
    """It refuses what was taken before."""
    text = (DATA / "validation.yml").read_text(encoding="utf-8")
    changed = text.replace("must: {amount: {at_least: 0}}", "must: {amount: {at_least: 20000}}")
    assert changed != text
    book = read_validation(changed, "validation.yml")
    return Validation(book, SECRET.encode(), sha256="0" * 64, loaded_at=START)


async def test_what_was_accepted_under_milder_rules_stays_accepted(intake: Intake) -> None:
    key = write(new_id().hex)
    first = await intake.app.post("/v1/requests", json=SUBMISSION, headers=key)
    before, strict = await count(intake), intake.with_context(validation=stricter())
    again = await strict.post("/v1/requests", json=SUBMISSION, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    other = await strict.post("/v1/requests", json=SUBMISSION | {"description": "another"}, headers=key)
    new = await strict.post("/v1/requests", json=SUBMISSION, headers=write())
    assert [answer.json()["type"] for answer in (other, new)] == ["urn:punctual:problem:data_refused"] * 2
    assert await count(intake) == before


async def test_a_line_that_was_accepted_under_milder_rules_stays_accepted(intake: Intake) -> None:
    accepted = line(new_id().hex)
    first = (await intake.app.post("/v1/requests:batch", content=accepted, headers=NDJSON)).json()
    before, strict = await count(intake), intake.with_context(validation=stricter())
    answer = await strict.post("/v1/requests:batch", content=line() + accepted + line(), headers=NDJSON)
    new, again, last = (json.loads(each) for each in answer.text.splitlines())
    assert [each["status"] for each in (new, again, last)] == [422, 201, 422]
    assert again == first | {"line": 2, "replayed": True}
    assert await count(intake) == before


async def test_what_was_accepted_stays_accepted_when_the_clock_was_set_back(intake: Intake) -> None:
    key, body = write(new_id().hex), SUBMISSION | {"occurred_at": START.isoformat()}
    first = await intake.app.post("/v1/requests", json=body, headers=key)
    early = intake.with_context(clock=ManualClock(START - timedelta(hours=1)))
    again = await early.post("/v1/requests", json=body, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    refused = await early.post("/v1/requests", json=body, headers=write())
    assert refused.json()["type"] == "urn:punctual:problem:occurred_at_impossible"


async def test_while_nobody_can_say_whether_it_was_accepted_it_is_not_refused(intake: Intake) -> None:
    gated = Gated(intake.database._pool)
    strict = intake.with_context(validation=stricter(), database=gated, call_patience=timedelta(milliseconds=50))
    single = await strict.post("/v1/requests", json=SUBMISSION, headers=write())
    assert (single.status_code, single.json()["type"]) == (503, "urn:punctual:problem:try_again")
    hurried = intake.with_context(validation=stricter(), database=gated, batch_patience=timedelta(milliseconds=50))
    last = (await hurried.post("/v1/requests:batch", content=line() + line(), headers=NDJSON)).json()
    assert (last["resume_from"], last["status"]) == (1, 503)


async def test_the_rules_in_force_are_shown(intake: Intake) -> None:
    view = (await intake.app.get("/v1/validation")).json()
    assert len(view["sha256"]) == 64
    claims = next(schema for schema in view["schemas"] if schema["name"] == "claim")
    assert claims["kinds"] == ["claim"]
    assert {"rule", "severity", "message"} == set(claims["rules"][0])
    assert view["watched"] == ["amount", "premium", "sum_insured"]


async def test_the_data_error_rate_counts_what_people_confirmed(intake: Intake) -> None:
    """Under a kind and market of its own there are no records of other tests."""
    span = {"from": "2026-11-24T01:00:00Z", "to": "2026-11-24T02:00:00Z"}

    async def rate() -> dict[str, Any]:
        answer = await intake.staff.get("/v1/data-quality", params=span)
        assert answer.status_code == 200
        found = [r for r in answer.json()["rates"] if (r["channel"], r["kind"]) == ("app", "complaint")]
        view: dict[str, Any] = found[0] if found else dict.fromkeys(("records", "wrong", "dismissed", "unjudged"), 0)
        return view

    before = await rate()
    doubtful = {"attributes": {"amount": 2_000_000_000}, "kind": "complaint", "product_line": None}
    await intake.submit(kind="complaint", product_line=None)
    references = [(await intake.submit(**doubtful))["reference"] for _ in range(3)]
    for verb, reference in zip(("confirm", "dismiss"), references, strict=False):
        body = {"rule": "amount_is_not_gigantic", "reason": "asked"}
        judged = await intake.staff.post(f"/v1/requests/{reference}/{verb}", json=body, headers=write())
        assert judged.status_code == 200
    after = await rate()
    grown = {name: after[name] - before[name] for name in ("records", "wrong", "dismissed", "unjudged")}
    assert grown == {"records": 3, "wrong": 1, "dismissed": 1, "unjudged": 1}
    assert after["interval"]["low"] <= after["share"] <= after["interval"]["high"]


@pytest.mark.parametrize("until", ["2026-11-24T01:00:00Z", "2028-01-01T00:00:00Z", "tomorrow"])
async def test_a_span_that_is_none_is_refused(intake: Intake, until: str) -> None:
    answer = await intake.staff.get("/v1/data-quality", params={"from": "2026-11-24T01:00:00Z", "to": until})
    assert answer.status_code == 422
