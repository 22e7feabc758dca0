"""The stream of changes tells nothing of requests that its caller does not see, and loses nothing by that."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from services.intake.api.change_stream import ChangeStream, Watched, read_id
from services.intake.domain.moves import Note
from services.intake.domain.visibility import EVERYTHING, Visibility
from services.intake.handlers.asking import Asking
from services.intake.handlers.change_feed import ChangeFeed
from services.intake.store.changes import Mark, read_changes
from tests.integration.intake.front_door import SUBMISSION, Intake, write

PAGE = 3
OF_THE_APP = Watched(Visibility(channel="app"))


async def watch(feed: ChangeFeed, mark: Mark, most: int) -> str:
    """What a reader of the app is sent: as many pieces, or fewer where nothing more comes."""
    pieces: list[str] = []
    has_enough = asyncio.Event()

    async def take(message: Any) -> None:
        pieces.append(message.get("body", b"").decode())
        if len(pieces) > most or ("alive" in pieces[-1] and pieces[-4:] == pieces[-1:] * 4):
            has_enough.set()
            await asyncio.Event().wait()

    async def leave() -> dict[str, Any]:
        await has_enough.wait()
        return {"type": "http.disconnect"}

    async def recognise() -> None:
        """Always."""

    assert feed.admit("key:app")
    stream = ChangeStream(feed, "key:app", OF_THE_APP, mark, recognise, heartbeat_seconds=0.01)
    async with asyncio.timeout(30):
        await stream({"type": "http"}, leave, take)
    return "".join(pieces)


def last_mark(text: str) -> Mark:
    mark = read_id(re.findall("^id: (.*)$", text, re.MULTILINE)[-1])
    assert mark is not None
    return mark


async def note(intake: Intake, *references: str) -> None:
    """All in one transaction."""
    async with intake.database.transaction() as connection:
        for reference in references:
            await intake.context.moving.perform(connection, reference, Note(), Asking("staff", EVERYTHING))


@pytest.mark.parametrize("is_followed", [True, False], ids=["from memory", "from the log"])
@pytest.mark.parametrize("most", [4, 5, 6, 9])  # more pages than a transaction fills: only at its end there is an id
async def test_no_request_of_another_channel_is_named_and_breaks_lose_and_double_nothing(
    intake: Intake, most: int, is_followed: bool
) -> None:
    feed = ChangeFeed(intake.database, page=PAGE)
    begin = mark = await feed.newest()
    if is_followed:
        await feed.run_once()
    hidden = (await intake.web.post("/v1/requests", json=SUBMISSION, headers=write())).json()
    seen = [await intake.submit() for _ in range(2)]
    own, foreign = [view["reference"] for view in seen], hidden["reference"]
    await note(intake, *[foreign] * (2 * PAGE + 1))
    await note(intake, own[0])
    await note(intake, foreign, foreign, own[0], *[foreign] * PAGE, own[1], foreign)
    await note(intake, *[foreign] * PAGE)
    while is_followed and not await feed.run_once():
        continue
    sent, told = "", []
    while True:
        text = await watch(feed, mark, most)
        sent += text
        told += [json.loads(data)["change"] | {"of": json.loads(data)["reference"]} for data in _data(text)]
        if last_mark(text) == mark:
            break
        mark = last_mark(text)
    async with intake.database.connection() as connection:
        log = await read_changes(connection, begin, 100)
    assert [(one["of"], one["sequence"]) for one in told] == [
        (change.reference, change.sequence) for change in log if change.channel == "app"
    ]
    for name in (hidden["id"], hidden["id"].replace("-", ""), foreign):
        assert name not in sent
    assert len(told) == 5


def _data(text: str) -> list[str]:
    return re.findall("^data: (.*)$", text, re.MULTILINE)


async def test_what_was_passed_over_is_not_read_again(intake: Intake) -> None:
    feed = ChangeFeed(intake.database, page=PAGE)
    mark = await feed.newest()
    for _ in range(2):
        assert (await intake.web.post("/v1/requests", json=SUBMISSION, headers=write())).status_code == 201
    text = await watch(feed, mark, 9)
    assert _data(text) == []
    async with intake.database.connection() as connection:
        assert len(await read_changes(connection, mark, 10)) == 2
        assert await read_changes(connection, last_mark(text), 10) == []
    assert last_mark(text) == Mark(last_mark(text).transaction_id)
