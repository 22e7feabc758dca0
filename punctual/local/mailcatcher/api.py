"""The JSON API over the mails kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, StreamingResponse

from punctual.local.mailcatcher.addressing import After, Before, Containing, Limit, MailId, entry_of
from punctual.local.mailcatcher.mailbox import Entry, Mailbox
from punctual.local.mailcatcher.reading import read_mail

_PIECE = 200  # mails read before others get their turn, some 10 ms


def api_routes(mailbox: Mailbox) -> APIRouter:
    """Below ``/api``."""
    router = APIRouter(prefix="/api")

    @router.get("/messages")
    async def messages(
        limit: Limit = None, before: Before = None, after: After = 0, containing: Containing = ""
    ) -> StreamingResponse:
        """The mails, newest first: envelope, decoded headers and text."""
        found = mailbox.newest(before=before, after=after, containing=containing)
        return StreamingResponse(_json_list(mailbox, islice(found, limit)), media_type="application/json")

    @router.get("/messages/{mail_id}")
    async def message(mail_id: MailId) -> JSONResponse:
        """One mail, with its HTML part."""
        entry = entry_of(mailbox, mail_id)
        return JSONResponse({**mailbox.details(entry), "html": read_mail(mailbox.raw(entry)).html})

    @router.delete("/messages", status_code=204)
    async def forget() -> None:
        """Forget all mails."""
        await mailbox.clear()

    @router.get("/summary")
    async def summary() -> dict[str, Any]:
        """How many mails are kept, and the newest id."""
        newest = next(mailbox.newest(), None)
        return {"messages": mailbox.count, "newest_id": newest.id if newest else None}

    return router


async def _json_list(mailbox: Mailbox, entries: Iterator[Entry]) -> AsyncIterator[str]:
    """Piece by piece, so that ten thousand mails neither fill the memory nor hold up the SMTP side."""
    separator = "["
    while piece := [json.dumps(mailbox.details(entry), ensure_ascii=False) for entry in islice(entries, _PIECE)]:
        yield separator + ",".join(piece)
        separator = ","
    yield "[]" if separator == "[" else "]"
