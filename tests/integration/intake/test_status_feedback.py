"""Who holds the link of a closed request says how it went: on the page without a script, or through an app."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from prometheus_client import REGISTRY

from shared.contracts import casework
from shared.contracts.topics import REQUESTS
from shared.ids import new_token
from tests.integration.intake.front_door import Intake
from tests.integration.intake.test_status_page import _Reader

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def closed(intake: Intake, **how: Any) -> dict[str, Any]:
    view = await intake.submit(**how)
    await intake.move(view["reference"], "close", outcome="withdrawn")
    return view


def path_of(view: dict[str, Any]) -> str:
    return httpx.URL(view["status_url"]).path


async def say(intake: Intake, view: dict[str, Any], **body: Any) -> httpx.Response:
    return await intake.nobody.post(f"{path_of(view)}/feedback", json=body)


async def send_form(intake: Intake, view: dict[str, Any], **fields: str) -> httpx.Response:
    return await intake.nobody.post(f"{path_of(view)}/feedback?lang=en", data=fields)


async def scores(intake: Intake, view: dict[str, Any]) -> list[tuple[str, int]]:
    shown = (await intake.app.get(f"/v1/requests/{view['reference']}")).json()
    return [(e["by"], e["data"]["score"]) for e in shown["history"] if e["type"] == "feedback_given"]


def counted(kind: str, score: int) -> float:
    return REGISTRY.get_sample_value("punctual_intake_feedback_total", {"kind": kind, "score": str(score)}) or 0.0


async def test_the_form_is_taken_however_long_the_history_is(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    view = await closed(intake)
    for bound in ("MOST_ENTRIES", "RESERVED"):
        monkeypatch.setattr(f"services.intake.domain.bounds.{bound}", 1)
    assert (await intake.move(view["reference"], "feedback", score=3)).status_code == 409
    page = await intake.nobody.get(path_of(view), params={"lang": "en"})
    assert "<form" in page.text
    assert (await send_form(intake, view, score="4")).status_code == 303
    assert await scores(intake, view) == [("customer", 4)]


async def test_the_page_of_a_closed_request_asks_and_thanks(intake: Intake) -> None:
    view = await intake.submit()
    page = await intake.nobody.get(path_of(view), params={"lang": "en"})
    assert "<form" not in page.text
    await intake.move(view["reference"], "close", outcome="withdrawn")
    page = await intake.nobody.get(path_of(view), params={"lang": "en"})
    assert "How satisfied are you" in _Reader(page.text).text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    action = page.text.partition('action="')[2].partition('"')[0]
    answer = await intake.nobody.post(urljoin(path_of(view), action), data={"score": "4", "text": "快，多謝"})
    assert answer.status_code == 303
    back = urljoin(f"{path_of(view)}/feedback", answer.headers["location"])
    page = await intake.nobody.get(back)
    text = _Reader(page.text).text
    assert "Thank you. You told us that you are satisfied." in text
    assert "<form" not in page.text
    assert "快" not in text
    assert await scores(intake, view) == [("customer", 4)]
    texts = (await intake.staff.get(f"/v1/requests/{view['reference']}/texts")).json()
    assert "快，多謝" in str(texts)
    last = (await intake.told_about(REQUESTS, view["id"]))[-1].data
    assert last == casework.RequestFeedbackGiven(request_id=view["id"], score=4)
    verdict = (await intake.staff.get(f"/v1/requests/{view['reference']}/verification")).json()
    assert verdict["problems"] == []


async def test_an_app_says_it_in_json_and_gets_the_status(intake: Intake) -> None:
    view = await closed(intake)
    before = (await intake.nobody.get(f"{path_of(view)}.json")).json()
    assert (before["asks_for_feedback"], before["score"]) == (True, None)
    count = counted("claim", 2)
    answer = await say(intake, view, score=2, text="too slow")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    after = answer.json()
    assert (after["asks_for_feedback"], after["score"], after["state"]) == (False, 2, "closed")
    assert after == (await intake.nobody.get(f"{path_of(view)}.json")).json()
    assert "too slow" not in answer.text
    assert counted("claim", 2) == count + 1


async def test_the_same_again_changes_nothing_and_another_answer_replaces_it(intake: Intake) -> None:
    view = await closed(intake)
    count = counted("claim", 3)
    answers = await asyncio.gather(*(say(intake, view, score=3, text="so so") for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert (await say(intake, view, score=3)).status_code == 200
    assert await scores(intake, view) == [("customer", 3)]
    assert counted("claim", 3) == count + 1
    await say(intake, view, score=3, text="no, good in fact")
    await say(intake, view, score=4, text="no, good in fact")
    assert await scores(intake, view) == [("customer", 3), ("customer", 3), ("customer", 4)]


async def test_only_so_many_answers_are_taken(intake: Intake) -> None:
    view = await closed(intake)
    statuses = [(await say(intake, view, score=1 + number % 2)).status_code for number in range(7)]
    assert statuses == [200] * 5 + [409, 200]  # the last one is what holds already
    answer = await send_form(intake, view, score="5")
    assert (answer.status_code, answer.headers["content-type"]) == (409, "text/html; charset=utf-8")
    assert "answered several times already" in _Reader(answer.text).text


async def test_what_is_not_closed_is_refused_and_stores_nothing(intake: Intake) -> None:
    view = await intake.submit()
    answer = await say(intake, view, score=5)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:punctual:problem:not_closed")
    page = await send_form(intake, view, score="5")
    assert page.status_code == 409
    assert "Either your request is not finished" in _Reader(page.text).text
    links = [part.partition('"')[0] for part in page.text.split('href="')[1:]]
    for link in links:
        assert (await intake.nobody.get(urljoin(f"{path_of(view)}/feedback", link))).status_code == 200
    assert await scores(intake, view) == []


async def test_a_link_that_nobody_was_given_is_unknown(intake: Intake) -> None:
    for token in (new_token(), "x", "%00" * 20, "é" * 20, "a%22%3E%3Cb%3E" * 2):
        answer = await intake.nobody.post(f"/t/{token}/feedback", json={"score": 5})
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:punctual:problem:link_unknown")
        page = await intake.nobody.post(f"/t/{token}/feedback", data={"score": "5"})
        assert page.status_code == 404
        assert _Reader(page.text).language == "en"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b"[]", 422, "body"),
        (b"{}", 422, "score"),
        (b'{"score": 0}', 422, "score"),
        (b'{"score": "5"}', 422, "score"),
        (b'{"score": 4.5}', 422, "score"),
        (b'{"score": 5, "text": "\\u0000"}', 422, "text"),
        (b'{"score": 5, "occurred_at": "2026-11-22T01:30:00Z"}', 422, "occurred_at"),
    ],
)
async def test_wrong_json_is_told_by_its_field(intake: Intake, body: bytes, status: int, field: str | None) -> None:
    view = await closed(intake)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = await intake.nobody.post(f"{path_of(view)}/feedback", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert [error["field"] for error in answer.json().get("errors", ())] == ([field] if field else [])


@pytest.mark.parametrize(
    "body",
    [b"", b"score=", b"score=6", b"score=five", b"score=5&score=4", b"score=%ff", b"\xff", b"score=5&a=b", b"&" * 90],
)
async def test_a_broken_form_is_answered_by_a_page(intake: Intake, body: bytes) -> None:
    view = await closed(intake)
    answer = await intake.nobody.post(f"{path_of(view)}/feedback?lang=en", content=body, headers=FORM)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert "Please choose one of the five answers" in _Reader(answer.text).text
    assert await scores(intake, view) == []


async def test_anything_but_a_form_or_json_is_refused(intake: Intake) -> None:
    view = await closed(intake)
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "multipart/form-data; boundary=x"}):
        answer = await intake.nobody.post(f"{path_of(view)}/feedback", content=b"score=5", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (415, "urn:punctual:problem:unsupported_media_type")


async def test_a_full_outbox_takes_no_answer(intake: Intake) -> None:
    view = await closed(intake)
    client = intake.web_with(outbox_limit=-1)
    answer = await client.post(f"{path_of(view)}/feedback", json={"score": 5})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert await scores(intake, view) == []


async def test_a_score_that_the_house_recorded_is_counted_and_shown(intake: Intake) -> None:
    view = await closed(intake, kind="enquiry")
    count = counted("enquiry", 5)
    await intake.move(view["reference"], "feedback", score=5)
    page = await intake.nobody.get(path_of(view), params={"lang": "en"})
    assert "very satisfied" in _Reader(page.text).text
    assert counted("enquiry", 5) == count + 1
