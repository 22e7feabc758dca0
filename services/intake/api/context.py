"""What every endpoint works with, and who calls it how."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, cast

from fastapi import Depends, Header, Request

from services.intake.api.rate_limits import RateLimits
from services.intake.api.sealing import CursorSeal
from services.intake.handlers.acting import Acting
from services.intake.handlers.automations import Automations
from services.intake.handlers.change_feed import ChangeFeed
from services.intake.handlers.customer_keys import CustomerKeys
from services.intake.handlers.erasing import Erasing
from services.intake.handlers.group_commit import GroupCommit
from services.intake.handlers.key_book import KeyBook
from services.intake.handlers.moving import Moving
from services.intake.handlers.processes import Processes
from services.intake.handlers.validation import Validation
from shared.clock import Clock
from shared.http import Problem
from shared.http.access import Principal, PrincipalOf
from shared.ids import new_reference
from shared.outbox import Outbox
from shared.postgres import Database

IDEMPOTENCY_KEY = "Idempotency-Key"
LONGEST_KEY = 255
KEY_PATTERN = r"^[\x21-\x7e]+$"


@dataclass(frozen=True, slots=True)
class Context:
    """Args:
    validation: looks at each request before it is taken in.
    submissions: takes requests in.
    feed: tells who watches what changes.
    seal: of cursors that end on what their caller has not been shown.
    key_patience: how long a move waits for another call with its idempotency key, real time.
    call_patience: how long a call may take, real time; those that may take longer are named in ``patience``.
    outbox_limit: unpublished events above which nothing more is taken in.
    line_limit: bytes of one line of a batch.
    limits: how fast a key may call.
    batch_patience: how long a batch waits in the middle until it may go on, real time.
    name_request: gives references.
    """

    database: Database
    outbox: Outbox
    clock: Clock
    keys: KeyBook
    processes: Processes
    moving: Moving
    customer_keys: CustomerKeys
    erasing: Erasing
    acting: Acting
    automations: Automations
    public_url: str
    validation: Validation
    submissions: GroupCommit
    feed: ChangeFeed
    seal: CursorSeal
    key_patience: timedelta = timedelta(seconds=5)
    call_patience: timedelta = timedelta(seconds=10)
    outbox_limit: int = 50_000
    retry_after_seconds: int = 5
    line_limit: int = 262_144
    batch_patience: timedelta = timedelta(seconds=30)
    limits: RateLimits = field(default_factory=RateLimits)
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

    caller: Principal
    key: str
    fingerprint: bytes
    size: int

    @property
    def owner(self) -> str:
        """Whose idempotency key it is. Names of keys have no colon, so nobody of the staff can be called like one."""
        return self.caller.name if self.caller.terms is not None else f"token:{self.caller.subject}"


async def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


ContextOf = Annotated[Context, Depends(_context)]

CallerOf = PrincipalOf


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


async def _keyed(
    request: Request,
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
    body = await request.body()
    return Write(caller, idempotency_key, fingerprint(request.method, request.url.path, body), len(body))


KeyedOf = Annotated[Write, Depends(_keyed)]
"""A write that tells nothing to others, so that it works however full the outbox is."""


async def _write(write: KeyedOf, context: ContextOf) -> Write:
    if context.is_outbox_full:
        raise outbox_full(context.retry_after_seconds)
    return write


WriteOf = Annotated[Write, Depends(_write)]
