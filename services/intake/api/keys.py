"""API keys: made, listed, rotated, revoked. A secret is told once and kept nowhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.intake.api.answers import REPLAY_HEADER, json_answer, stored_answer
from services.intake.api.context import CallerOf, Context, ContextOf, KeyedOf, Write
from services.intake.api.key_views import KeyBody, KeyName, KeyView, NewKeyView, PrefixOf, RotateBody, view_key
from services.intake.api.paging import PAGED, NumberAfter, link_next, read_number
from services.intake.api.problems import key_in_flight
from services.intake.domain.api_key import ApiKey, hash_secret, next_expiry, overlap_end, write_key
from services.intake.store import api_keys as store
from services.intake.store.answers import KeyInFlight, claim_key, complete_answer
from services.intake.store.refusals import writing
from shared.clock import real_now
from shared.http import FieldError, Problem, problem_responses
from shared.http.access import GuardedRoute, Principal, Scope
from shared.ids import new_key_prefix, new_secret
from shared.postgres import Connection

router = APIRouter(route_class=GuardedRoute, tags=["keys"])

Perform = Callable[[Connection], Awaitable[tuple[ApiKey, str | None]]]
"""Gives the key as it is then, and its text where it was made just now."""

_WRITING = problem_responses(400, 401, 403, 409, 413, 422, 503)


@router.post(
    "/v1/keys",
    status_code=201,
    response_class=Response,
    summary="Make a key; the answer is the only place where it can be read",
    responses={201: {"model": NewKeyView, "description": "The key"}, **_WRITING},
)
async def create(body: KeyBody, write: KeyedOf, context: ContextOf) -> Response:
    now = real_now()
    _check_scopes(write.caller, frozenset(body.scopes))
    if body.expires_at is not None and body.expires_at <= now:
        raise _invalid("expires_at", "must lie ahead, real time")

    async def perform(connection: Connection) -> tuple[ApiKey, str | None]:
        prefix, secret = new_key_prefix(), new_secret()
        made = await store.add_key(
            connection,
            prefix=prefix,
            secret_hash=hash_secret(secret),
            name=body.name,
            role=body.role,
            scopes=frozenset(body.scopes),
            rate_per_second=body.rate_per_second,
            burst=body.burst,
            created_at=now,
            created_by=write.caller.name,
            expires_at=body.expires_at,
        )
        return made, write_key(prefix, secret)

    try:
        return await _write(context, write, 201, perform)
    except store.NameTaken:
        raise Problem(
            409,
            "key_name_taken",
            "The name has another role",
            f"Keys of the name {body.name} are not {body.role} keys.",
        ) from None


@router.get("/v1/keys", summary="List keys, the newest first; no secrets", responses=PAGED | problem_responses(422))
async def list_(
    context: ContextOf,
    request: Request,
    response: Response,
    name: Annotated[KeyName | None, Query(description="Only keys of this name")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: NumberAfter = None,
) -> list[KeyView]:
    async with context.database.connection() as connection:
        found = await store.list_keys(connection, name, read_number(after), limit)
    if len(found) == limit:
        link_next(request, response, str(found[-1].number))
    now = real_now()
    return [view_key(key, now) for key in found]


@router.post(
    "/v1/keys/{prefix}:rotate",
    status_code=201,
    response_class=Response,
    summary="Make the key that follows; the old one goes on working for a while",
    responses={201: {"model": NewKeyView, "description": "The new key"}, 404: problem_responses(404)[404], **_WRITING},
)
async def rotate(prefix: PrefixOf, body: RotateBody, write: KeyedOf, context: ContextOf) -> Response:
    now = real_now()

    async def perform(connection: Connection) -> tuple[ApiKey, str | None]:
        old = await _lock(connection, prefix, write.caller)
        if old.state(now) != "good" or old.replaced_by is not None:
            why = f"it was replaced by {old.replaced_by}" if old.replaced_by else f"it is {old.state(now)}"
            raise Problem(409, "key_over", "This key has no successor any more", f"Of {prefix}: {why}.")
        new_prefix, secret = new_key_prefix(), new_secret()
        made = await store.add_key(
            connection,
            prefix=new_prefix,
            secret_hash=hash_secret(secret),
            name=old.name,
            role=old.role,
            scopes=old.scopes,
            rate_per_second=old.rate_per_second,
            burst=old.burst,
            created_at=now,
            created_by=write.caller.name,
            expires_at=next_expiry(old, now),
            replaces=prefix,
        )
        await store.end_key(connection, prefix, overlap_end(old, now, body.overlap))
        return made, write_key(new_prefix, secret)

    answer = await _write(context, write, 201, perform)
    context.keys.forget(prefix)
    return answer


@router.post(
    "/v1/keys/{prefix}:revoke",
    response_class=Response,
    summary="End a key; within seconds no process accepts it any more",
    responses={200: {"model": KeyView, "description": "The key"}, 404: problem_responses(404)[404], **_WRITING},
)
async def revoke(prefix: PrefixOf, write: KeyedOf, context: ContextOf) -> Response:
    async def perform(connection: Connection) -> tuple[ApiKey, str | None]:
        await _lock(connection, prefix, write.caller)
        await store.revoke_key(connection, prefix, real_now(), write.caller.name)
        return await _lock(connection, prefix, write.caller), None

    answer = await _write(context, write, 200, perform)
    context.keys.forget(prefix)
    return answer


async def _write(context: Context, write: Write, status: int, perform: Perform) -> Response:
    """What a repeat is answered is stored without the secret: whoever reads the table must not find keys in it."""
    try:
        async with writing(context.database) as connection:
            if not await claim_key(connection, write.owner, write.key, write.fingerprint, context.key_patience):
                stored_status, stored = await stored_answer(connection, write)
                return json_answer(stored, stored_status, REPLAY_HEADER)
            key, text = await perform(connection)
            view = view_key(key, real_now())
            told, kept = view, view
            if text is not None:
                told, kept = (NewKeyView(**view.model_dump(), key=shown) for shown in (text, None))
            await complete_answer(connection, write.owner, write.key, None, status, kept.model_dump_json())
    except KeyInFlight:
        raise key_in_flight(context.retry_after_seconds) from None
    return json_answer(told.model_dump_json(), status, {"Cache-Control": "no-store"})


async def _lock(connection: Connection, prefix: str, caller: CallerOf) -> ApiKey:
    found = await store.lock_key(connection, prefix)
    if found is None:
        raise Problem(404, "key_not_found", "No such key", f"No key begins with pk_{prefix}.")
    _check_scopes(caller, found.scopes)
    return found


def _check_scopes(caller: Principal, scopes: frozenset[Scope]) -> None:
    """Whoever calls with a key gives no more than the key has, and touches none that has more."""
    own = caller.terms.scopes if caller.terms is not None else None
    beyond = sorted(scopes - own) if own is not None else []
    if beyond:
        detail = f"Your key does not have: {', '.join(beyond)}."
        raise Problem(403, "scope_required", "A key gives no more than it has", detail)


def _invalid(field: str, message: str) -> Problem:
    errors = [FieldError(field=field, message=message)]
    return Problem(422, "invalid_fields", "Some fields are missing or wrong", errors=errors)
