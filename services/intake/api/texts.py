"""What people wrote about a request: notes, messages, feedback, names of attachments."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from services.intake.api.access_log import note_access
from services.intake.api.context import CallerOf, Context, ContextOf
from services.intake.api.problems import not_found
from services.intake.api.references import ReferenceOf
from services.intake.api.visibility import visibility_of
from services.intake.domain.record import RequestRecord
from services.intake.handlers.customer_keys import CustomerErased
from services.intake.store.lookups import find_by_reference
from services.intake.store.personal.texts import DESCRIPTION, find_texts
from shared.http import problem_responses
from shared.http.access import GuardedRoute
from shared.postgres import Connection

router = APIRouter(route_class=GuardedRoute, tags=["requests"])

_OF_THE_HOUSE = "noted"


class TextView(BaseModel):
    sequence: int = Field(description="Of the entry it was written with")
    type: str
    text: str | None
    file_name: str | None
    location: str | None = Field(description="Where the content of an attachment is kept")


@router.get(
    "/v1/requests/{reference}/texts",
    summary="What people wrote about it, first its description; notes of the house only to the house",
    responses=problem_responses(401, 404, 422, 503),
)
async def texts(reference: ReferenceOf, caller: CallerOf, context: ContextOf, request: Request) -> list[TextView]:
    async with context.database.transaction() as connection:
        record = await find_by_reference(connection, reference, visibility_of(caller))
        if record is None:
            raise not_found()
        await note_access(context, connection, request, caller, "texts", reference=reference)
        written = await read_texts(context, connection, record)
    return [text for text in written if caller.kind != "channel" or text.type != _OF_THE_HOUSE]


async def read_texts(context: Context, connection: Connection, record: RequestRecord) -> list[TextView]:
    """All of them, in order; none once the customer is erased."""
    try:
        key = await context.customer_keys.of_request(connection, record.request_id)
    except CustomerErased:
        return []
    types = {entry.sequence: entry.change.TYPE for entry in record.history}
    return [
        TextView(
            sequence=sequence,
            type=types[sequence],
            text=found.get("text", found.get(DESCRIPTION)),
            file_name=found.get("file_name"),
            location=found.get("location"),
        )
        for sequence, found in (await find_texts(connection, key, record.request_id)).items()
    ]
