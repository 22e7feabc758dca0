"""What every endpoint works with, and who calls it how."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, cast

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.intake.handlers.change_feed import ChangeFeed
from services.intake.handlers.group_commit import GroupCommit
from services.intake.handlers.moving import Moving
from services.intake.handlers.processes import Processes
from shared.clock import Clock
from shared.http import Caller, KeyRing, Problem
from shared.ids import new_reference
from shared.outbox import Outbox
from shared.postgres import Database

IDEMPOTENCY_KEY = "Idempotency-Key"
LONGEST_KEY = 255
KEY_PATTERN = r"^[\x21-\x7e]+$"


@dataclass(frozen=True, slots=True)
class Context:
    """Args:
    submissions: takes requests in.
    feed: tells who watches what changes.
    key_patience: how long a move waits for another call with its idempotency key, real time.
    outbox_limit: unpublished events above which nothing more is taken in.
    line_limit: bytes of one line of a batch.
    batch_patience: how long a batch waits in the middle until it may go on, real time.
    name_request: gives references.
    """

    database: Database
    outbox: Outbox
    clock: Clock
    keys: KeyRing
    processes: Processes
    moving: Moving
    public_url: str
    submissions: GroupCommit
    feed: ChangeFeed
    key_patience: timedelta = timedelta(seconds=5)
    outbox_limit: int = 50_000
    retry_after_seconds: int = 5
    line_limit: int = 262_144
    batch_patience: timedelta = timedelta(seconds=30)
    name_request: Callable[[], str] = new_reference

    @property
    def is_outbox_full(self) -> bool:
        return self.outbox.backlog() > self.outbox_limit


@dataclass(frozen=True, slots=True)
class Write:
    """One call that changes something.

    Attributes:
        fingerprint: SHA-256 of method, path and body: what the idempotency key stands for.
        size: bytes of the body.
    """

    caller: Caller
    key: str
    fingerprint: bytes
    size: int


async def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


ContextOf = Annotated[Context, Depends(_context)]

_bearer = HTTPBearer(auto_error=False, description="An API key of a channel system or a staff tool")


async def _caller(
    request: Request,
    context: ContextOf,
    _: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Caller:
    return context.keys.authenticate(request.headers.get("authorization"))


CallerOf = Annotated[Caller, Depends(_caller)]


async def _staff(caller: CallerOf) -> Caller:
    if caller.role != "staff":
        raise Problem(403, "staff_only", "Only staff may do this", "Use a key whose role is staff.")
    return caller


StaffOf = Annotated[Caller, Depends(_staff)]


def outbox_full(retry_after_seconds: int) -> Problem:
    return Problem(
        503,
        "outbox_full",
        "The service is catching up and takes nothing new for a moment",
        "What was accepted is safe. Send the same request again with the same Idempotency-Key.",
        headers={"Retry-After": str(retry_after_seconds)},
    )


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """What an idempotency key stands for."""
    return hashlib.sha256(f"{method} {path}\n".encode() + body).digest()


async def _write(
    request: Request,
    context: ContextOf,
    caller: CallerOf,
    idempotency_key: Annotated[
        str,
        Header(
            alias=IDEMPOTENCY_KEY,
            min_length=1,
            max_length=LONGEST_KEY,
            pattern=KEY_PATTERN,
            description="1 to 255 visible ASCII characters: new for each write, the same again for a repeat of it",
            examples=["01a2051d-44ed-7642-9a32-1b7da3713f59"],
        ),
    ],
) -> Write:
    if context.is_outbox_full:
        raise outbox_full(context.retry_after_seconds)
    body = await request.body()
    return Write(caller, idempotency_key, fingerprint(request.method, request.url.path, body), len(body))


WriteOf = Annotated[Write, Depends(_write)]


def visible_channel(caller: Caller) -> str | None:
    """Whose requests the caller may see: a channel its own, staff all (None)."""
    return caller.name if caller.role == "channel" else None
