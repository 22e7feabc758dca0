"""Customers: how to reach them, all that is held on them, and its erasure."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.intake.api.access_log import note_access
from services.intake.api.answers import REPLAY_HEADER, json_answer, stored_answer
from services.intake.api.audit import view_access
from services.intake.api.bodies import Line
from services.intake.api.context import CallerOf, Context, ContextOf, WriteOf
from services.intake.api.customer_views import (
    ContactView,
    CustomerView,
    EraseBody,
    ErasureView,
    ExportedRequestView,
    ExportView,
    view_contact,
    view_customer,
    view_erasure,
)
from services.intake.api.problems import key_in_flight, not_found
from services.intake.api.references import ReferenceOf
from services.intake.api.showing import show_request
from services.intake.api.texts import read_texts
from services.intake.api.timeline import view_happening
from services.intake.api.visibility import visibility_of
from services.intake.domain.erasure import prove
from services.intake.domain.reviews import ReviewSight
from services.intake.domain.sight import Sight
from services.intake.domain.visibility import EVERYTHING
from services.intake.handlers.erasing import CustomerUnknown, RequestsNotOver
from services.intake.store.answers import KeyInFlight, claim_key, complete_answer
from services.intake.store.lookups import find_by_reference
from services.intake.store.personal.customers import (
    Customer,
    accesses_of,
    count_remains,
    find_customer,
    find_customer_of,
    find_erasure,
    find_named_customer,
    references_of,
)
from services.intake.store.refusals import writing
from services.intake.store.timeline import read_timeline
from shared.contracts.payload import Code
from shared.encryption import ContactDetails
from shared.http import Problem, problem_responses
from shared.http.access import GuardedRoute, Principal
from shared.postgres import Connection

router = APIRouter(route_class=GuardedRoute, tags=["customers"])

_WHOLE = 1_000_000
"""More happenings than any request has."""

_NAMED = 5


@router.get(
    "/v1/requests/{reference}/customer",
    summary="How to reach the customer of a request; each reading is noted",
    responses=problem_responses(401, 404, 422, 503),
)
async def contact(reference: ReferenceOf, caller: CallerOf, context: ContextOf, request: Request) -> ContactView:
    visibility = visibility_of(caller)
    async with context.database.transaction() as connection:
        record = await find_by_reference(connection, reference, visibility)
        if record is None:
            raise not_found()
        customer = await find_customer(connection, await find_customer_of(connection, record.request_id), visibility)
        assert customer is not None  # a request has one for good
        await note_access(context, connection, request, caller, "contacts", reference=reference)
        return view_contact(customer, await _details(context, connection, customer))


@router.get(
    "/v1/customers",
    summary="Find a customer by the id that a channel knows them by",
    responses=problem_responses(404, 422),
)
async def find(
    context: ContextOf,
    channel: Annotated[Code, Query(description="Whose customer", examples=["app"])],
    external_id: Annotated[Line, Query(description="The channel's id of the customer")],
) -> CustomerView:
    async with context.database.connection() as connection:
        customer = await find_named_customer(connection, channel, external_id)
    if customer is None:
        raise _unknown()
    return view_customer(customer)


@router.get(
    "/v1/customers/{customer_id}/export",
    summary="All that intake holds on a customer; each reading is noted",
    responses=problem_responses(404, 422),
)
async def export(customer_id: UUID, caller: CallerOf, context: ContextOf, request: Request) -> ExportView:
    async with context.database.transaction() as connection:
        customer = await find_customer(connection, customer_id)
        if customer is None:
            raise _unknown()
        await note_access(context, connection, request, caller, "export", customer_id=customer_id)
        references = await references_of(connection, customer_id)
        return ExportView(
            customer=view_contact(customer, await _details(context, connection, customer)),
            requests=[await _export_request(context, connection, reference, caller) for reference in references],
            read_by=[view_access(one) for one in await accesses_of(connection, customer_id, references)],
        )


@router.post(
    "/v1/customers/{customer_id}:erase",
    response_class=Response,
    summary="Destroy what is held on a customer; their requests must be over",
    description=(
        "Destroys the customer's key, and with it everything that was encrypted with it; also in backups that do not"
        " hold the key. Histories stay, without the person. Cannot be undone. Of who was erased before the first record"
        " is answered."
    ),
    responses={
        200: {"model": ErasureView, "description": "The record, and what of it is proved already"},
        **problem_responses(400, 401, 403, 404, 409, 413, 422, 503),
    },
)
async def erase(customer_id: UUID, body: EraseBody, write: WriteOf, context: ContextOf) -> Response:
    try:
        async with writing(context.database) as connection:
            if not await claim_key(connection, write.owner, write.key, write.fingerprint, context.key_patience):
                status, answer = await stored_answer(connection, write)
                return json_answer(answer, status, REPLAY_HEADER)
            await context.erasing.erase(connection, customer_id, write.caller.name, body.reason, cause="asked")
            answer = (await _view_erasure(context, connection, customer_id)).model_dump_json()
            await complete_answer(connection, write.owner, write.key, None, 200, answer)
    except KeyInFlight:
        raise key_in_flight(context.retry_after_seconds) from None
    except CustomerUnknown:
        raise _unknown() from None
    except RequestsNotOver as refused:
        named = ", ".join(refused.references[:_NAMED])
        raise Problem(
            409,
            "requests_not_over",
            "Requests of this customer are not over",
            f"Close or cancel them first. There are {len(refused.references)}, such as {named}.",
        ) from None
    return json_answer(answer, 200)


@router.get(
    "/v1/customers/{customer_id}/erasure",
    summary="Prove that what was held on a customer is destroyed",
    description=(
        "Counts what is left now, whatever the record says: the key, all that was encrypted with it, the channel's ids,"
        " and attributes with the name of personal data. The facts of the case stay: codes, sums, dates, instants."
    ),
    responses=problem_responses(404, 422),
)
async def erasure(customer_id: UUID, context: ContextOf) -> ErasureView:
    async with context.database.snapshot() as connection:
        return await _view_erasure(context, connection, customer_id)


async def _view_erasure(context: Context, connection: Connection, customer_id: UUID) -> ErasureView:
    found = await find_erasure(connection, customer_id)
    if found is None:
        raise Problem(404, "erasure_not_found", "No such erasure", "The customer is unknown, or was not erased.")
    remains = await count_remains(connection, customer_id, context.validation.book.personal)
    return view_erasure(found, prove(found, remains))


async def _export_request(
    context: Context, connection: Connection, reference: str, caller: Principal
) -> ExportedRequestView:
    record = await find_by_reference(connection, reference, EVERYTHING)
    assert record is not None  # no request is ever deleted
    happenings = await read_timeline(
        connection, record.request_id, Sight(EVERYTHING), ReviewSight.ALL, source=None, after=None, count=_WHOLE
    )
    return ExportedRequestView(
        request=await show_request(context, connection, record, EVERYTHING, caller),
        texts=await read_texts(context, connection, record),
        timeline=[view_happening(one) for one in happenings],
    )


async def _details(context: Context, connection: Connection, customer: Customer) -> ContactDetails | None:
    if customer.details is None:
        return None
    key = await context.customer_keys.of_customer(connection, customer.customer_id)
    return ContactDetails.decrypt(key, customer.details)


def _unknown() -> Problem:
    return Problem(404, "customer_not_found", "No such customer", "Nobody is known by this id, or they were erased.")
