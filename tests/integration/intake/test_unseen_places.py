"""Lists of a caller who sees few of the requests that are stored: where a page ends tells nothing of the others."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from services.intake.api.listing_views import view_list
from services.intake.api.places import read_place
from services.intake.domain.visibility import Visibility
from services.intake.store.listing.pages import list_page
from services.intake.store.listing.wanted import Order, Wanted
from tests.integration.intake.front_door import START, SUBMISSION, Intake, write

HIDDEN = 10


async def _hide(intake: Intake) -> list[str]:
    """Ids of requests of another channel, taken in before and after one of the app."""
    ids = []
    for number in range(HIDDEN):
        answer = await intake.web.post("/v1/requests", json=SUBMISSION, headers=write())
        ids.append(answer.json()["id"])
        if number == HIDDEN // 2:
            await intake.submit()
    return ids


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(Visibility("app"), kind=None, stage="received"),
        Wanted(Visibility("app"), stage="received", order=Order.OLDEST),
        Wanted(Visibility("app"), order=Order.CHANGED),
        Wanted(Visibility("app"), submitted_from=START),
    ],
)
async def test_page_by_page_no_hidden_request_is_named_and_none_of_ones_own_is_missed(
    intake: Intake, wanted: Wanted
) -> None:
    hidden, found = await _hide(intake), set()
    after, cursors = None, []
    async with intake.database.snapshot() as connection:
        own = await connection.fetch("SELECT request_id FROM request WHERE channel = 'app'")
        while True:
            page = await list_page(connection, wanted, read_place(after, wanted, intake.context.seal), 2, most_seen=3)
            view = view_list(page, None, wanted, intake.context.seal)
            found |= {line.id for line in view.requests}
            after = view.next
            if after is None:
                break
            cursors.append(after)
    assert found == {row["request_id"] for row in own}
    assert len(cursors) >= HIDDEN // 3
    readable = b" ".join(cursor.encode() + _decoded(cursor) for cursor in cursors)
    for name in hidden:
        assert name.encode() not in readable


def _decoded(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor.removeprefix("~") + "=" * (-len(cursor.removeprefix("~")) % 4))


async def test_a_channel_that_asks_for_another_is_led_along_nothing(intake: Intake) -> None:
    await _hide(intake)
    wanted = Wanted(Visibility("app"), channel="web")
    async with intake.database.snapshot() as connection:
        assert (await list_page(connection, wanted, None, 2, most_seen=3)).next is None
    answer: dict[str, Any] = (await intake.app.get("/v1/requests?channel=web&count=true")).json()
    assert answer == {"requests": [], "next": None, "count": {"value": 0, "exact": True}}
    found = (await intake.app.get("/v1/requests?channel=web&q=marine")).json()
    assert (found["requests"], found["next"]) == ([], None)


async def test_a_page_that_ends_on_a_line_has_a_plain_cursor_as_ever(intake: Intake) -> None:
    views = [await intake.submit() for _ in range(2)]
    page = (await intake.app.get("/v1/requests?limit=1")).json()
    assert page["next"] == page["requests"][0]["id"] == views[1]["id"]
    page = (await intake.app.get(f"/v1/requests?limit=1&after={page['next']}")).json()
    assert page["requests"][0]["id"] == views[0]["id"]
