"""Parsers of octets, and of what a reader of JSON gives: bodies, claims, keys, events."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import httpx
import jwt
from pydantic import BaseModel, ValidationError

from punctual.local.issuer import accounts
from punctual.replay.logs.csv_log import read_csv
from punctual.replay.logs.xes_log import read_xes
from services.intake.api import automation, key_views, move_bodies, moves, quarantine, request_examples
from services.intake.api.batch_lines import read_line
from services.intake.api.bodies import SubmitBody
from services.intake.api.customer_views import EraseBody
from services.intake.api.feedback_bodies import SurveyBody, read_answer, read_form
from services.intake.api.filters import Filters, read_wanted
from services.intake.api.move_bodies import MoveBody
from services.intake.domain.visibility import Visibility
from shared.contracts.texts import plain_instant, plain_uuid
from shared.contracts.unread import decode_any
from shared.errors import ConfigurationError, Rejected
from shared.http import FieldError, KeyRing, Problem, hash_key, problems
from shared.http.access import ClaimNames, issuer
from shared.http.access.claims import read_principal
from shared.http.access.keyset import read_keys
from shared.http.access.tokens import TokenRefused, check_token, read_header
from shared.ids import new_id, new_reference
from tests.access.issuing import AUDIENCE, ISSUER, NOW, claims_of, private_key, published
from tests.unit.parsers.parser import File, Parser, Read, check_usable

_SUBMISSION: dict[str, Any] = SubmitBody.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index,assignment]
_LINE = json.dumps({**_SUBMISSION, "idempotency_key": "app-7781"}, ensure_ascii=False).encode()
_PASSWORD = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"
_ACCOUNT = {"name": "chan", "subject": "7f3a", "roles": ["handler"], "teams": [], "password": _PASSWORD}
_KEY = {"name": "app", "role": "channel", "sha256": hash_key("key of app")}
_XES = b"""<?xml version="1.0"?><log><trace><string key="concept:name" value="1"/><event>
<date key="time:timestamp" value="2026-03-02T09:00:00+08:00"/></event></trace></log>"""
_HEADERS = {
    "ce_specversion": b"1.0",
    "ce_id": str(new_id()).encode(),
    "ce_source": b"/punctual/intake",
    "ce_subject": str(new_id()).encode(),
    "ce_sequence": b"3",
    "ce_time": b"2026-11-22T01:30:00Z",
    "ce_recordedat": b"2026-11-22T01:30:00Z",
    "ce_correlationid": b"7d1c",
    "ce_traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "ce_author": b"app",
    "ce_cause": b"call",
}


def _record_of(event_type: bytes) -> Read:
    headers = {**_HEADERS, "ce_type": event_type}.items()
    return lambda value: decode_any(b"key", value, headers)


def _csv(content: bytes) -> None:
    list(read_csv(io.BytesIO(content), delimiter=",", encoding="utf-8", needed=["case"], origin="log.csv"))


def _answer_of_an_issuer(content: bytes) -> None:
    async def ask() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content))
        async with httpx.AsyncClient(transport=transport) as http:
            await issuer._json(http, ISSUER)

    asyncio.run(ask())


OCTETS = (
    Parser("answer of an issuer", _answer_of_an_issuer, ValueError, (b'{"keys": []}',)),
    Parser("line of a batch", read_line, Problem, (_LINE,)),
    Parser("answer of a customer, as JSON", read_answer, Problem, (b'{"score": 5, "text": "quick"}',)),
    Parser(
        "answer of a customer, as a form", read_form, ValueError, (b"score=5&text=very+quick%0D%0A", b"score=1&text=")
    ),
    Parser(
        "accounts of the issuer",
        lambda content: accounts._read(File(content)),  # type: ignore[arg-type]  # as much of a path as it uses
        ConfigurationError,
        (json.dumps({"accounts": [_ACCOUNT]}).encode(),),
    ),
    Parser(
        "file of API keys",
        lambda content: KeyRing.load(File(content)),  # type: ignore[arg-type]  # as much of a path as it uses
        ConfigurationError,
        (json.dumps({"keys": [_KEY]}).encode(),),
    ),
    Parser("identifier, as this program writes it", plain_uuid, ValueError, (str(new_id()).encode(),)),
    Parser("instant, as this program writes it", plain_instant, ValueError, (b"2026-11-22T01:30:00.000000Z",)),
    Parser("log in CSV", _csv, ConfigurationError, (b'case,at\n1,2026-03-02\n2,"2026\n03"\n',)),
    Parser("log in XES", lambda content: list(read_xes(io.BytesIO(content))), (), (_XES,)),
    Parser(
        "event of a known type",
        _record_of(b"punctual.request.paused.v1"),
        Rejected,
        (json.dumps({"request_id": str(new_id()), "reason": "customer_documents"}).encode(),),
    ),
    Parser("event of a type to come", _record_of(b"punctual.request.sung.v1"), Rejected, (b'{"song": [1, {}]}',)),
)


BODIES: set[type[BaseModel]] = set()
"""Those that are read below."""


def _body_of(model: type[BaseModel]) -> Read:
    """A body, and the move it asks for; what is wrong with it can be told to the caller."""
    BODIES.add(model)

    def read(value: Any) -> None:
        try:
            body = model.model_validate(value)
        except ValidationError as error:
            for wrong in error.errors(include_input=False):
                FieldError(field=problems._path(("body", *wrong["loc"])), message=wrong["msg"]).model_dump_json()
            raise
        json.dumps(body.model_dump(), default=str, ensure_ascii=False).encode()
        if isinstance(body, MoveBody):
            body.move()
            body.texts()

    return read


def _query(value: Any) -> None:
    if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        filters = Filters.model_validate(value)
        wanted = read_wanted(filters, Visibility(channel="app"))
        for instant in (wanted.submitted_from, wanted.due_before, wanted.changed_since):
            check_usable(instant)


def _claims(value: Any) -> None:
    """Signed as they are, by the right key: they still say whatever they like."""
    if not isinstance(value, dict):
        return
    try:
        token = jwt.encode(value, private_key("first"), "ES256", {"kid": "first"})
    except (TypeError, ValueError, OverflowError):  # no issuer can write these
        return
    header = read_header(token, ISSUER)
    claims = check_token(token, header, _KEYS, issuer=ISSUER, audience=AUDIENCE, now=NOW)
    read_principal(claims, ClaimNames())


_KEYS = read_keys({"keys": [published("first")]})
_INSTANT = "2026-11-22T09:30:00+08:00"
_CLAIMS = {
    **claims_of("handler", scope="read", teams=["claims_hk"]),
    "iat": NOW.timestamp(),
    "exp": NOW.timestamp() + 9,
}
OBJECTS = (
    Parser("submission", _body_of(SubmitBody), ValidationError, (_SUBMISSION,)),
    *(
        Parser(
            f"body of {verb}",
            _body_of(body),
            ValidationError,
            ({"occurred_at": _INSTANT, **request_examples.MOVES[verb]},),
        )
        for verb, body, _ in moves.MOVES
    ),
    Parser("body of merge", _body_of(move_bodies.MergeBody), ValidationError, ({"into": new_reference()},)),
    Parser(
        "body of process",
        _body_of(move_bodies.FollowBody),
        ValidationError,
        ({"process": "claim_motor", "version": 2, "stage": "assessment", "reason": "new_version"},),
    ),
    Parser("body of split", _body_of(move_bodies.SplitBody), ValidationError, ({"kind": "claim", "attributes": {}},)),
    Parser("body of complaint", _body_of(move_bodies.ComplaintBody), ValidationError, ({"description": "slow"},)),
    Parser("body of an erasure", _body_of(EraseBody), ValidationError, ({"reason": "asked for by letter"},)),
    Parser("body of an answer by the link", _body_of(SurveyBody), ValidationError, ({"score": 5, "text": "quick"},)),
    Parser("body of confirm", _body_of(quarantine.ConfirmBody), ValidationError, ({"rule": "a", "reason": "b"},)),
    Parser("body of dismiss", _body_of(quarantine.DismissBody), ValidationError, ({"rule": "a", "reason": "b"},)),
    Parser(
        "body of a new key",
        _body_of(key_views.KeyBody),
        ValidationError,
        ({"name": "app", "role": "channel", "scopes": ["read"], "rate_per_second": 7.5, "burst": 9},),
    ),
    Parser("body of a rotation", _body_of(key_views.RotateBody), ValidationError, ({"overlap_seconds": 60},)),
    Parser(
        "body of a trial",
        _body_of(automation.TrialBody),
        ValidationError,
        ({"submitted_from": _INSTANT, "submitted_to": _INSTANT, "after": str(new_id())},),
    ),
    Parser(
        "filters of a list",
        _query,
        (ValidationError, Problem),
        (
            {"kind": "claim", "submitted_from": _INSTANT, "limit": "20", "count": "true", "customer": "C-1"},
            {"q": "motor"},
        ),
    ),
    Parser("claims of a token", _claims, TokenRefused, (_CLAIMS,)),
    Parser("keys of an issuer", read_keys, ValueError, ({"keys": [published("first"), published("old", "RS256")]},)),
)
