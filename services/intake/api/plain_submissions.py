"""Submissions that need nothing of the framework: told by method and path, read once, answered at once.

The framework matches a path, resolves what the endpoint depends on, makes a dict of the body and a model of the dict:
more than all that intake itself does for a request. So a call is taken here when everything about it is plain. Any
other goes the framework's way, let in and counted, with its body given back: that way describes the route, words every
refusal of what a call says, and is the only one that does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.intake.api import submit
from services.intake.api.arrivals import tally_refusal
from services.intake.api.bodies import SubmitBody
from services.intake.api.context import Context, Write, fingerprint
from services.intake.api.problems import answer_problem
from services.intake.api.rate_limits import count_call
from shared.errors import Retryable
from shared.http import Problem, unavailable
from shared.http.access import Access, Principal
from shared.http.access.guard import admit

_METHOD, _PATH = "POST", "/v1/requests"
_KEY = re.compile(rb"[\x21-\x7e]{1,255}")
_JSON = b"application/json"
_START, _BODY = "http.response.start", "http.response.body"

_read_body = SubmitBody.__pydantic_validator__.validate_json


class PlainSubmissions:
    """Stands right before the framework's own routing."""

    def __init__(self, app: ASGIApp, context: Context, access: Access) -> None:
        self._app = app
        self._context = context
        self._access = access
        (self._route,) = submit.router.routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != _PATH or scope.get("method") != _METHOD:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        try:
            caller = await self._let_in(scope)
        except (Problem, Retryable) as refused:
            await self._refuse(refused, scope, receive, send)
            return
        message = await receive()
        read = [message]
        while message.get("more_body", False):
            message = await receive()
            read.append(message)
        call = None if caller is None else self._recognise(scope, read, caller)
        if call is None:
            status = await self._pass_on(scope, read, receive, send)
            has_said_all = read[-1]["type"] == "http.request"  # and did not leave in the middle
            if has_said_all and caller is not None:
                tally_refusal(status, caller, self._context)
            return
        try:
            taken = await submit.take(*call, self._context)
        except (Problem, Retryable) as refused:
            if isinstance(refused, Problem):
                tally_refusal(refused.status, call[1].caller, self._context)
            await self._refuse(refused, scope, receive, send)
        else:
            body = taken.body.encode()
            headers = [(name.lower().encode(), value.encode()) for name, value in submit.headers_of(taken).items()]
            headers += ((b"content-length", b"%d" % len(body)), (b"content-type", _JSON))
            await send({"type": _START, "status": taken.status, "headers": headers})
            await send({"type": _BODY, "body": body, "more_body": False})

    async def _let_in(self, scope: Scope) -> Principal | None:
        """Who calls, asked and counted before anything of the body is taken; the framework's way does neither again.
        None where a copy of the matrix opens the route to anybody.

        Raises:
            Problem: 401, 403 or 429.
            Retryable: nobody can say now who calls.
        """
        authorization = next((value for name, value in scope["headers"] if name == b"authorization"), None)
        text = None if authorization is None else authorization.decode("latin-1")
        caller = await admit(self._access, f"{_METHOD} {_PATH}", text)
        if caller is not None:
            scope.setdefault("state", {})["principal"] = caller
            count_call(scope, self._context.limits, caller)
        return caller

    async def _refuse(self, refused: Problem | Retryable, scope: Scope, receive: Receive, send: Send) -> None:
        if isinstance(refused, Problem):
            answer = answer_problem(refused)
        else:
            answer = unavailable(refused, self._context.retry_after_seconds).response()
        await answer(scope, receive, send)

    async def _pass_on(self, scope: Scope, read: Sequence[Message], receive: Receive, send: Send) -> int:
        """Have the framework answer; the status of the answer."""
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == _START:
                status = message["status"]
            await send(message)

        await self._app(scope, partial(_read_again, iter(read), receive), watched)
        return status

    def _recognise(self, scope: Scope, read: Sequence[Message], caller: Principal) -> tuple[SubmitBody, Write] | None:
        """What is to be taken in; None when the framework has to say something about it."""
        key = content_type = None
        for name, value in scope["headers"]:
            if name == b"idempotency-key":
                key = key or value
            elif name == b"content-type":
                content_type = content_type or value
        if content_type != _JSON or key is None or not _KEY.fullmatch(key):
            return None
        if self._context.is_outbox_full or read[-1]["type"] != "http.request":
            return None
        content = read[0]["body"] if len(read) == 1 else b"".join([message.get("body", b"") for message in read])
        try:
            body = _read_body(content)
        except ValidationError:
            return None
        return body, Write(caller, key.decode("ascii"), fingerprint(_METHOD, _PATH, content), len(content))


async def _read_again(read: Iterator[Message], receive: Receive) -> Message:
    message = next(read, None)
    return await receive() if message is None else message
