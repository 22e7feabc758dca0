"""Who handles cases does not learn from a timeline which closed ones were chosen for a review."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.intake.store.timeline import Heard, keep_heard
from shared.contracts.payload import Payload
from shared.contracts.quality import ReviewCompleted, SampleDrawn
from shared.ids import new_id
from tests.integration.intake.front_door import START, Intake, write

DRAWN, REVIEWED = "punctual.sample.drawn", "punctual.review.completed"
CHOSEN = "punctual.sample.chosen_again"
"""A type that comes with a later version of quality_audit."""


def drawn(request_id: UUID) -> SampleDrawn:
    return SampleDrawn(
        sample_id=new_id(), request_id=request_id, reference="K7M4Q-2XD9C", stratum="claim.rest", rate=0.02,
        period="2026Q4",
    )  # fmt: skip


def reviewed(request_id: UUID) -> ReviewCompleted:
    return ReviewCompleted(
        review_id=new_id(), sample_id=new_id(), request_id=request_id, reviewer="q-7", is_accurate=False,
        is_complete=True, is_timely=True, error_causes=("wrong_amount",),
    )  # fmt: skip


async def hear(intake: Intake, view: dict[str, Any], *said: tuple[str, Payload]) -> None:
    heard = [
        Heard(
            UUID(view["id"]), "/punctual/quality_audit", number, f"{event_type}.v1", START + timedelta(hours=number),
            START + timedelta(hours=number), payload.model_dump_json(),
        )
        for number, (event_type, payload) in enumerate(said, start=1)
    ]  # fmt: skip
    async with intake.database.transaction() as connection:
        await keep_heard(connection, heard)


async def chosen(intake: Intake) -> dict[str, Any]:
    view = await intake.submit()
    request_id = UUID(view["id"])
    await hear(intake, view, (DRAWN, drawn(request_id)), (CHOSEN, drawn(request_id)))
    return view


async def read(client: httpx.AsyncClient, view: dict[str, Any], **params: Any) -> httpx.Response:
    answer = await client.get(f"/v1/requests/{view['reference']}/timeline", params=params)
    assert answer.status_code == 200, answer.text
    return answer


def types(answer: httpx.Response) -> list[str]:
    return [line["type"] for line in answer.json()["happenings"] if line["source"] == "quality_audit"]


def people(intake: Intake, *names: str) -> dict[str, httpx.AsyncClient]:
    """By what they are; a role, or two with a plus between."""
    return {name: intake.person(name, *name.split("+")) for name in names}


async def keyed(intake: Intake, *scopes: str) -> httpx.AsyncClient:
    body = {"name": f"tool-{new_id().hex[:12]}", "role": "staff", "scopes": ["read", *scopes]}
    made = await intake.staff.post("/v1/keys", json=body, headers=write())
    return intake.call_with(intake.context, made.json()["key"])


async def not_told(intake: Intake) -> dict[str, httpx.AsyncClient]:
    callers = people(intake, "handler", "team_leader", "handler+team_leader")
    return callers | {"channel": intake.app, "tool of handlers": await keyed(intake)}


async def told(intake: Intake) -> dict[str, httpx.AsyncClient]:
    roles = ("quality_reviewer", "manager", "administrator", "auditor", "handler+quality_reviewer")
    return people(intake, *roles) | {"staff key": intake.staff, "tool of reviewers": await keyed(intake, "quality")}


async def test_who_handles_is_answered_as_if_nothing_had_been_chosen(intake: Intake) -> None:
    view = await intake.submit()
    callers = await not_told(intake)
    asked: list[dict[str, Any]] = [{}, {"source": "quality_audit"}, {"limit": 1}, {"limit": 2}]
    before = {(name, str(how)): (await read(callers[name], view, **how)).text for name in callers for how in asked}
    await hear(intake, view, (DRAWN, drawn(UUID(view["id"]))), (CHOSEN, drawn(UUID(view["id"]))))
    after = {(name, str(how)): (await read(callers[name], view, **how)).text for name in callers for how in asked}
    assert after == before
    assert json.loads(after["handler", "{'limit': 2}"])["next"] is None, "what is hidden makes no page longer"


async def test_who_oversees_is_told_what_was_chosen(intake: Intake) -> None:
    view = await chosen(intake)
    for name, client in (await told(intake)).items():
        assert types(await read(client, view)) == [DRAWN, CHOSEN], name


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_a_finished_review_is_shown_to_who_handles_without_the_reviewer(intake: Intake, limit: int) -> None:
    view = await intake.submit()
    request_id = UUID(view["id"])
    await hear(intake, view, (DRAWN, drawn(request_id)), (REVIEWED, reviewed(request_id)), (DRAWN, drawn(request_id)))
    for name, client in people(intake, "handler", "team_leader").items():
        lines: list[dict[str, Any]] = []
        after = None
        while True:
            page = (await read(client, view, limit=limit, **({} if after is None else {"after": after}))).json()
            lines += page["happenings"]
            after = page["next"]
            if after is None:
                break
        assert [line["type"] for line in lines] == ["punctual.request.submitted", REVIEWED], name
        assert lines[1]["data"]["error_causes"] == ["wrong_amount"]
        assert "reviewer" not in lines[1]["data"]
    whole = (await read(intake.person("q", "quality_reviewer"), view)).json()["happenings"]
    assert [line["data"].get("reviewer") for line in whole[1:]] == [None, "q-7", None]
    assert types(await read(intake.app, view)) == []
