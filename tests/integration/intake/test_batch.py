"""A batch: each line is accepted or refused for itself, and answered in its place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx

from shared.contracts.topics import REQUESTS
from tests.integration.intake.batch_call import NDJSON, PATH, line
from tests.integration.intake.front_door import SUBMISSION, Intake, write

PROBLEM = "urn:punctual:problem:"


async def send(client: httpx.AsyncClient, lines: Iterable[bytes]) -> list[dict[str, Any]]:
    answer = await client.post(PATH, content=b"".join(lines), headers=NDJSON)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(text) for text in answer.text.splitlines()]


async def test_every_line_becomes_a_request_that_can_be_looked_up(intake: Intake) -> None:
    lines = [line(external_id=f"batch-{n}", customer=SUBMISSION["customer"] | {"id": f"B-{n}"}) for n in range(300)]
    answers = await send(intake.app, lines)
    assert [answer["line"] for answer in answers] == list(range(1, 301))
    assert {answer["status"] for answer in answers} == {201}
    assert [answer["idempotency_key"] for answer in answers] == [json.loads(text)["idempotency_key"] for text in lines]
    assert len({answer["reference"] for answer in answers}) == 300
    for number in (0, 150, 299):
        view = (await intake.app.get(answers[number]["location"])).json()
        assert (view["id"], view["reference"]) == (answers[number]["id"], answers[number]["reference"])
        assert view["external_id"] == f"batch-{number}"
        assert len(await intake.told_about(REQUESTS, view["id"])) == 1


async def test_good_bad_repeated_and_unreadable_lines_are_answered_one_by_one(intake: Intake) -> None:
    small = intake.with_context(line_limit=2_000)
    good, other = line("good-1"), line("good-2", external_id="other")
    wrong = SUBMISSION | {"kind": "lottery", "customer": SUBMISSION["customer"] | {"name": ""}}
    lines = [
        good,
        json.dumps(wrong | {"idempotency_key": "bad-1"}).encode() + b"\n",
        b"{not json\n",
        b"\n",
        good,
        line("long", description="x" * 3_000),
        line("good-1", priority="low"),
        json.dumps(SUBMISSION).encode() + b"\n",
        line("with blank"),
        line("odd", occurred_at="1999-12-31T23:59:59Z"),
        b'\xff{"kind"\n',
        b"[1, 2]\n",
        line("unknown", colour="red"),
        other.replace(b"\n", b"\r\n"),
        line('"quoted\\').rstrip(),
    ]
    answers = await send(small, lines)
    by_line = {answer["line"]: answer for answer in answers}
    assert [answer["line"] for answer in answers] == [1, 2, 3, *range(5, 16)]
    assert {number: by_line[number]["status"] for number in by_line} == {
        **dict.fromkeys((1, 5, 14, 15), 201),
        **dict.fromkeys((3, 8, 9, 11), 400),
        6: 413,
        **dict.fromkeys((2, 7, 10, 12, 13), 422),
    }
    codes = {
        number: answer["problem"]["type"].removeprefix(PROBLEM)
        for number, answer in by_line.items()
        if "problem" in answer
    }
    assert codes == {
        2: "invalid_fields",
        3: "broken_json",
        6: "line_too_long",
        7: "idempotency_key_reused",
        8: "idempotency_key_required",
        9: "idempotency_key_required",
        10: "occurred_at_impossible",
        11: "broken_json",
        12: "invalid_fields",
        13: "invalid_fields",
    }
    assert {error["field"] for error in by_line[2]["problem"]["errors"]} == {"kind", "customer.name"}
    assert [error["field"] for error in by_line[7]["problem"]["errors"]] == ["idempotency_key"]
    assert by_line[15]["idempotency_key"] == '"quoted\\'
    first = {name: by_line[1][name] for name in ("reference", "id", "location")}
    assert by_line[5] == {"line": 5, "status": 201, "idempotency_key": "good-1", "replayed": True, **first}
    assert "replayed" not in by_line[1]


async def test_a_batch_that_is_sent_again_gets_the_same_answers_and_stores_nothing(intake: Intake) -> None:
    lines = [line(customer=SUBMISSION["customer"] | {"id": f"again-{n}"}) for n in range(40)]
    first = await send(intake.app, lines[:25])
    before = (await intake.app.get("/v1/summary")).json()
    again = await send(intake.app, lines[:25])
    assert (await intake.app.get("/v1/summary")).json() == before
    assert again == [{**answer, "replayed": True} for answer in first]
    whole = await send(intake.app, lines)
    assert [answer.get("replayed", False) for answer in whole] == [True] * 25 + [False] * 15
    assert [answer["id"] for answer in whole[:25]] == [answer["id"] for answer in first]


async def test_a_line_and_a_single_call_do_not_share_a_key(intake: Intake) -> None:
    (accepted,) = await send(intake.app, [line("shared-1")])
    assert accepted["status"] == 201
    single = await intake.app.post("/v1/requests", json=SUBMISSION, headers=write("shared-1"))
    assert (single.status_code, single.json()["type"]) == (422, PROBLEM + "idempotency_key_reused")
    await intake.app.post("/v1/requests", json=SUBMISSION, headers=write("shared-2"))
    (refused,) = await send(intake.app, [line("shared-2")])
    assert (refused["status"], refused["problem"]["type"]) == (422, PROBLEM + "idempotency_key_reused")


async def test_a_batch_larger_than_a_single_body_may_be_is_taken(intake: Intake) -> None:
    lines = [line(description="x" * 3_900, external_id=f"large-{n}") for n in range(300)]
    assert sum(map(len, lines)) > 1_000_000
    assert {answer["status"] for answer in await send(intake.app, lines)} == {201}


async def test_an_empty_batch_is_answered_with_nothing(intake: Intake) -> None:
    assert await send(intake.app, [b"\n", b" "]) == []


async def test_a_batch_needs_a_key_of_the_caller_and_lines_of_json(intake: Intake) -> None:
    for client, headers, status in (
        (intake.nobody, NDJSON, 401),
        (intake.app, {"Content-Type": "application/json"}, 415),
        (intake.app, {}, 415),
    ):
        answer = await client.post(PATH, content=line(), headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


async def test_no_batch_is_begun_while_the_outbox_is_too_full(intake: Intake) -> None:
    client = intake.with_context(outbox_limit=-1, retry_after_seconds=7)
    answer = await client.post(PATH, content=line(), headers=NDJSON)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert answer.json()["type"] == PROBLEM + "outbox_full"
