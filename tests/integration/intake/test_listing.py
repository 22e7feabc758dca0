"""The list of requests over HTTP: filters, orders, pages, counts, refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain.deadlines import Deadline, DeadlineState
from services.intake.store.deadlines import store_deadlines
from shared.ids import REFERENCE_ALPHABET, new_id, new_reference
from tests.integration.intake.front_door import START, SUBMISSION, Intake, write


async def references(intake: Intake, **filters: str) -> list[str]:
    answer = await intake.staff.get("/v1/requests", params={"limit": "200"} | filters)
    assert answer.status_code == 200, answer.text
    return [line["reference"] for line in answer.json()["requests"]]


async def give_deadline(intake: Intake, view: dict[str, Any], hours: float, objective: str = "resolution") -> None:
    due_at = START + timedelta(hours=hours)
    deadline = Deadline(new_id(), UUID(view["id"]), objective, 1, DeadlineState.RUNNING, due_at)
    async with intake.database.transaction() as connection:
        await store_deadlines(connection, [deadline])


async def test_each_filter_finds_its_own(intake: Intake) -> None:
    wanted = await intake.submit(
        kind="complaint", market="TW", priority="urgent", product_line="rail", external_id="APP-1",
        customer=SUBMISSION["customer"] | {"id": "C-9"},
    )  # fmt: skip
    reference = wanted["reference"]
    other = (await intake.submit())["reference"]
    await intake.move(reference, "assign", team="team_of_one", handler="s-77")
    await intake.move(reference, "stage", stage="investigation")
    for name, value in {
        "kind": "complaint",
        "market": "TW",
        "priority": "urgent",
        "product_line": "rail",
        "process": "complaint",
        "external_id": "APP-1",
        "team": "team_of_one",
        "handler": "s-77",
        "stage": "investigation",
        "reference": f" {reference.lower().replace('-', '')} ",
    }.items():
        assert await references(intake, **{name: value}) == [reference], name
    assert await references(intake, customer="C-9", channel="app") == [reference]
    assert await references(intake, customer="C-9", channel="web") == []
    assert reference in await references(intake, state="open", channel="app")
    assert await references(intake, team="team_of_one", state="paused") == []
    assert other not in await references(intake, team="team_of_one", over="false")
    assert await references(intake, team="team_of_one", over="true") == []


async def test_states_are_told_apart(intake: Intake) -> None:
    views = {name: (await intake.submit(kind="enquiry"))["reference"] for name in ("open", "paused", "closed")}
    await intake.move(views["paused"], "pause", reason="third_party")
    await intake.move(views["closed"], "close", outcome="answered")
    for state, reference in views.items():
        found = await references(intake, state=state, kind="enquiry")
        assert reference in found
        assert not set(found) & (set(views.values()) - {reference})
    unfinished = await references(intake, over="false", kind="enquiry")
    assert views["closed"] not in unfinished
    assert {views["open"], views["paused"]} <= set(unfinished)


async def test_the_list_by_deadline_shows_the_most_urgent_first_and_overdue_ones_too(intake: Intake) -> None:
    views = [await intake.submit(product_line="rush") for _ in range(4)]
    for view, hours in zip(views, (5, -1, 2), strict=False):
        await give_deadline(intake, view, hours)
    await give_deadline(intake, views[3], 1, "response")
    late, soon, later = (views[n]["reference"] for n in (1, 2, 0))
    assert await references(intake, sort="due", product_line="rush") == [late, soon, later]
    before = (START + timedelta(hours=3)).isoformat()
    assert await references(intake, due_before=before, product_line="rush") == [late, soon]
    after = START.isoformat()  # the plus of the offset is not escaped by everybody
    assert await references(intake, due_after=after.replace("+", " "), product_line="rush") == [soon, later]
    assert await references(intake, due_before=before, sort="newest", product_line="rush") == [soon, late]
    assert await references(intake, sort="due", objective="response", product_line="rush") == [views[3]["reference"]]
    page = (await intake.staff.get("/v1/requests", params={"sort": "due", "product_line": "rush"})).json()
    assert page["requests"][0]["due_at"] == "2026-11-24T00:30:00Z"


async def test_what_changed_since_an_instant_comes_once_and_in_the_order_of_its_last_change(intake: Intake) -> None:
    first, second = [(await intake.submit(product_line="changing"))["reference"] for _ in range(2)]
    intake.clock.advance(timedelta(minutes=1))
    since = intake.clock.now().isoformat()
    assert await references(intake, changed_since=since, product_line="changing") == []
    await intake.move(second, "acknowledge")
    intake.clock.advance(timedelta(minutes=1))
    await intake.move(first, "acknowledge")
    await intake.move(first, "assign", team="a_team")
    assert await references(intake, changed_since=since, product_line="changing") == [second, first]
    assert await references(intake, changed_since=since, sort="newest", product_line="changing") == [second, first]
    assert await references(intake, changed_since=since, sort="oldest", product_line="changing") == [first, second]


@pytest.mark.parametrize("sort", ["newest", "oldest", "due", "changed"])
async def test_the_link_header_leads_through_all_pages(intake: Intake, sort: str) -> None:
    for hours in range(5):
        view = await intake.submit(product_line=f"pages_{sort}")
        await give_deadline(intake, view, hours)
    everything = await references(intake, sort=sort, product_line=f"pages_{sort}")
    assert len(everything) == 5
    found: list[str] = []
    address: str | None = f"/v1/requests?sort={sort}&product_line=pages_{sort}&limit=2"
    while address:
        answer = await intake.staff.get(address)
        found += [line["reference"] for line in answer.json()["requests"]]
        link = answer.links.get("next")
        assert (link is None) == (answer.json()["next"] is None)
        address = link["url"] if link else None
    assert found == everything


async def test_submissions_of_a_span_come_by_the_instant_of_submission(intake: Intake) -> None:
    hours = [3, 1, 2, 9]
    views = [
        await intake.submit(product_line="dated", occurred_at=(START - timedelta(hours=h)).isoformat()) for h in hours
    ]
    span = {
        "submitted_from": (START - timedelta(hours=3)).isoformat(),
        "submitted_to": (START - timedelta(hours=1)).isoformat(),
    }
    newest = [views[2]["reference"], views[0]["reference"]]
    assert await references(intake, product_line="dated", **span) == newest
    assert await references(intake, product_line="dated", sort="oldest", **span) == newest[::-1]


async def test_one_field_finds_by_whatever_is_at_hand(intake: Intake) -> None:
    view = await intake.submit(
        kind="complaint",
        product_line="pet_care",
        external_id="ZX-100-7",
        customer=SUBMISSION["customer"] | {"id": "Q-77"},
    )
    reference = view["reference"]
    await intake.move(reference, "assign", team="night_desk", handler="s-991")
    typed = [reference, f" {reference.lower().replace('-', ' ')}", "ZX-100-7", "ZX-1", "Q-77", "s-991", "Night", "care"]
    for text in (*typed, "night_desk", "pet_care"):
        assert await references(intake, q=text) == [reference], text
    assert await references(intake, q="Night", state="closed") == []
    assert await references(intake, q="Night", team="day_desk") == []
    assert await references(intake, q="Night", team="night_desk", handler="s-991") == [reference]
    other = {
        "external_id": "ZX-2",
        "handler": "s-992",
        "customer": "Q-78",
        "channel": "app",
        "reference": new_reference(),
    }
    for text in typed:
        for name in ("external_id", "handler", "customer", "reference"):
            filters = {name: other[name]} | ({"channel": "app"} if name == "customer" else {})
            assert await references(intake, q=text, **filters) == [], (text, name)
    for text in ("nigh", "陳美玲", "後保險桿", new_reference(), "%", "ZX%"):
        assert await references(intake, q=text) == [], text
    for client, count in ((intake.app, 1), (intake.web, 0)):
        for text in typed:
            assert len((await client.get("/v1/requests", params={"q": text})).json()["requests"]) == count, text
    answer = await intake.staff.get("/v1/requests", params={"q": "night", "sort": "due"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query:sort")


async def test_what_others_have_hides_nothing_that_an_id_begins_with(intake: Intake) -> None:
    """Ten of them are followed: ten that are seen, and that the filters let through."""
    beginning = f"E{new_id().hex[-10:].upper()}-"
    views = [await intake.submit(kind="enquiry", external_id=f"{beginning}{number:02}") for number in range(12)]
    for view in views[:10]:
        await intake.move(view["reference"], "assign", team="claims_tw")
        await intake.move(view["reference"], "close", outcome="answered")
    await intake.move(views[11]["reference"], "assign", team="claims_hk")
    left = {view["reference"] for view in views[10:]}
    handler = intake.person("chan.tai-man", "handler", teams=["claims_hk"])
    seen = (await handler.get("/v1/requests", params={"q": beginning})).json()["requests"]
    assert {line["reference"] for line in seen} == left
    assert set(await references(intake, q=beginning, over="false")) == left
    assert await references(intake, q=beginning, team="claims_hk") == [views[11]["reference"]]
    assert len(await references(intake, q=beginning)) == 10


async def test_requests_with_one_id_hide_no_other_that_begins_so(intake: Intake) -> None:
    beginning = f"E{new_id().hex[-10:].upper()}-"
    for _ in range(11):
        await intake.submit(kind="enquiry", external_id=f"{beginning}1")
    other = await intake.submit(kind="enquiry", external_id=f"{beginning}2")
    found = await references(intake, q=beginning)
    assert (len(found), found[0]) == (12, other["reference"])


async def test_a_mistyped_reference_says_so_where_anything_may_be_looked_for(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    last = REFERENCE_ALPHABET[REFERENCE_ALPHABET.index(reference[-1]) - 1]
    mistyped = reference[:-1] + last
    for text in (mistyped, mistyped.replace("-", "").lower(), mistyped.replace("-", " – "), "O" + reference[1:]):
        answer = await intake.app.get("/v1/requests", params={"q": text})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query:q"), text
        assert "mistyped" in answer.json()["errors"][0]["message"]
    named_alike = await intake.submit(external_id=mistyped)
    assert await references(intake, q=mistyped) == [named_alike["reference"]]


async def test_a_count_comes_when_it_is_asked_for(intake: Intake) -> None:
    for _ in range(3):
        await intake.submit(product_line="counted")
    params = {"product_line": "counted", "limit": "1", "count": "true"}
    assert (await intake.app.get("/v1/requests", params=params)).json()["count"] == {"value": 3, "exact": True}
    assert (await intake.web.get("/v1/requests", params=params)).json()["count"] == {"value": 0, "exact": True}
    del params["count"]
    assert (await intake.app.get("/v1/requests", params=params)).json()["count"] is None


async def test_a_channel_sees_its_own_whatever_it_asks_for(intake: Intake) -> None:
    answer = await intake.web.post("/v1/requests", json=SUBMISSION | {"product_line": "apart"}, headers=write())
    assert answer.status_code == 201
    for params in ({"product_line": "apart"}, {"channel": "web"}, {"reference": answer.json()["reference"]}):
        assert (await intake.app.get("/v1/requests", params=params)).json()["requests"] == []
        assert (await intake.web.get("/v1/requests", params=params)).json()["requests"] != []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("teem=claims_hk", "query:teem"),
        ("state=asleep", "query:state"),
        ("kind=lottery", "query:kind"),
        ("limit=0", "query:limit"),
        ("limit=201", "query:limit"),
        ("due_before=tomorrow", "query:due_before"),
        ("submitted_from=2026-11-22T09:30:00", "query:submitted_from"),
        ("team=a%20team%3B", "query:team"),
        ("reference=K7M4Q-2XD9D", "query:reference"),
        ("customer=C-1", "query:customer"),
        ("after=soon", "query:after"),
        ("sort=due&after=01a2051d-44ed-7642-9a32-1b7da3713f59", "query:after"),
        ("sort=due&after=%C3%A9", "query:after"),
        ("sort=upwards", "query:sort"),
        ("external_id=%00", "query:external_id"),
    ],
)
async def test_what_cannot_be_meant_is_refused_and_named(intake: Intake, query: str, field: str) -> None:
    answer = await intake.staff.get(f"/v1/requests?{query}")
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
