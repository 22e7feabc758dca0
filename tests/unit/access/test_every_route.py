"""Every route of every service that has a matrix, called by everybody: what the file says is what happens."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, cast

import httpx
import jwt
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

import services.notifier.api
import services.quality_audit.api
import services.sla_timer.api
from shared.clock import ManualClock
from shared.http import KeyRing, hash_key
from shared.http.access import Access, Identification, KeyTerms, Principal, Scope, StaffRole
from shared.http.access.guard import routes_of
from shared.http.access.matrix import Admission
from shared.http.keys import ApiKey
from tests.access.issuing import NOW, IssuerInMemory, claims_of, private_key, token_of
from tests.access.opening import ROOT, matrix_of
from tests.unit.intake.front_door import intake_of_nothing

KEYS = KeyRing(
    [
        ApiKey(name="app", role="channel", sha256=hash_key("key of app")),
        ApiKey(name="tool", role="staff", sha256=hash_key("key of tool")),
    ]
)

_ID = "01a2051d-44ed-7642-9a32-1b7da3713f59"
TAKE_A_BODY = frozenset({"POST", "PUT", "PATCH"})
_NOTHING = cast(Any, None)
"""Who is let through meets neither a database nor anything else, and is answered 500 or 422: neither 401 nor 403."""


async def _ready() -> dict[str, str | None]:
    return {}


def _sla_timer(access: Access) -> FastAPI:
    context = services.sla_timer.api.Context(_NOTHING, ManualClock(NOW), _NOTHING, _NOTHING, _NOTHING, _NOTHING)
    return services.sla_timer.api.create_api(context, access, _ready)


def _notifier(access: Access) -> FastAPI:
    return services.notifier.api.create_api(_NOTHING, _NOTHING, access, _ready)


def _quality_audit(access: Access) -> FastAPI:
    return services.quality_audit.api.create_api(
        database=_NOTHING,
        access=access,
        reviewing=_NOTHING,
        plan=_NOTHING,
        master=b"",
        clock=ManualClock(NOW),
        readiness=_ready,
    )


APPS: Mapping[str, Callable[[Access], FastAPI]] = {
    "intake": intake_of_nothing,
    "sla_timer": _sla_timer,
    "notifier": _notifier,
    "quality_audit": _quality_audit,
}

Expected = Callable[[Admission], bool]


def callers() -> Iterator[tuple[str, str | None, Expected | None]]:
    """Name, secret, and whom a route must admit to let it through; None: it is not known at all."""
    for role in StaffRole:
        yield role.value, token_of(role.value), lambda admission, role=role: role in admission.words  # type: ignore[misc]
    yield "two roles", token_of("handler", "auditor"), lambda a: bool(a.words & {"handler", "auditor"})
    yield "no role", token_of(), lambda _: False
    yield "a role of another system", token_of("superuser"), lambda _: False
    yield "a channel key", "key of app", lambda admission: "channel" in admission.words
    yield "a staff key", "key of tool", lambda admission: "administrator" in admission.words
    for scope in Scope:
        yield f"a channel key for {scope}", f"scoped channel {scope}", _in_scope("channel", scope)
        yield f"a staff key for {scope}", f"scoped service {scope}", _in_scope("administrator", scope)
    yield "no credentials", None, None
    yield "an unknown key", "key of nobody", None
    yield "expired", token_of(*StaffRole, iat=NOW - timedelta(hours=1), exp=NOW - timedelta(minutes=1)), None
    yield "another audience", token_of(*StaffRole, aud="payroll"), None
    yield "another issuer", token_of(*StaffRole, iss="https://login.other.example"), None
    yield "another key", jwt.encode(claims_of(*StaffRole), private_key("stranger"), "ES256", {"kid": "first"}), None
    yield "alg none", jwt.encode(claims_of(*StaffRole), "", "none", {"kid": "first"}), None
    yield "symmetric", jwt.encode(claims_of(*StaffRole), "x" * 64, "HS256", {"kid": "first"}), None


def _in_scope(word: str, scope: Scope) -> Expected:
    return lambda admission: word in admission.words and admission.scope == scope


async def find_scoped_key(text: str) -> Principal | None:
    """A key that is kept in a database; its text says what it is."""
    if not text.startswith("scoped "):
        return None
    _, kind, scope = text.split(" ")
    terms = KeyTerms(text, frozenset({Scope(scope)}))
    if kind == "channel":
        return Principal("app", "app", "channel", terms=terms)
    return Principal("tool", "tool", "service", frozenset({StaffRole.ADMINISTRATOR}), terms=terms)


CALLERS = list(callers())
ROUTES = [
    pytest.param(service, route, id=f"{service} {route}") for service in APPS for route in matrix_of(service).routes
]


@pytest.fixture(scope="module")
def applications() -> dict[str, FastAPI]:
    issuer = IssuerInMemory().trusted()
    return {
        service: make(Access(Identification(KEYS, issuer, lambda: NOW, find_scoped_key), matrix_of(service)))
        for service, make in APPS.items()
    }


def test_every_service_that_has_a_matrix_is_walked_here() -> None:
    assert {file.parent.name for file in ROOT.glob("services/*/access.yml")} == set(APPS)


@pytest.mark.parametrize(("service", "route"), ROUTES)
async def test_a_route_lets_through_whom_the_file_names_and_nobody_else(
    applications: dict[str, FastAPI], service: str, route: str
) -> None:
    """Nor does it read the body of anybody else: that it is broken is told to whom the file names."""
    admission = matrix_of(service).routes[route]
    method, path = route.split(" ")
    transport = httpx.ASGITransport(applications[service])
    answered, expected, read = {}, {}, set[str]()

    async def content(name: str) -> AsyncIterator[bytes]:
        read.add(name)
        yield b'{"kind":'

    # Tracebacks of whoever meets nothing behind the door are not written: that takes longer than all the rest.
    with capture_logs():
        http = httpx.AsyncClient(transport=transport, base_url="http://service")
        for name, secret, is_admitted in CALLERS:
            headers = {"Authorization": f"Bearer {secret}"} if secret else {}
            sent: dict[str, Any] = {"headers": headers}
            if method in TAKE_A_BODY:
                sent = {"headers": headers | {"Content-Type": "application/json"}, "content": content(name)}
            answer = await http.request(method, re.sub(r"\{\w+\}", _ID, path), **sent)
            answered[name] = {401: "unknown", 403: "forbidden"}.get(answer.status_code, "through")
            if admission.is_open or (is_admitted is not None and is_admitted(admission)):
                expected[name] = "through"
            else:
                expected[name] = "unknown" if is_admitted is None else "forbidden"
            if answered[name] != "through":
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert secret is None or secret not in answer.text
    assert answered == expected
    assert {name for name in read if answered[name] != "through"} == set()


@pytest.mark.parametrize("service", APPS)
def test_every_route_of_the_application_is_in_the_file_and_guarded(
    applications: dict[str, FastAPI], service: str
) -> None:
    guarded, unguarded = routes_of(applications[service])
    matrix = matrix_of(service)
    assert guarded | unguarded == set(matrix.routes)
    assert all(matrix.routes[route].is_open for route in unguarded)
    assert {route for route in guarded if " /v1/" in route} == {route for route in matrix.routes if " /v1/" in route}


@pytest.mark.parametrize("service", APPS)
async def test_a_refusal_names_what_is_needed_and_what_the_caller_has(
    applications: dict[str, FastAPI], service: str
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(applications[service]), base_url="http://x") as http:
        route, admission = next((r, a) for r, a in matrix_of(service).routes.items() if a.words)
        method, path = re.sub(r"\{\w+\}", _ID, route).split(" ")
        answer = await http.request(method, path, headers={"Authorization": f"Bearer {token_of('superuser')}"})
    body = answer.json()
    assert (answer.status_code, body["type"]) == (403, "urn:punctual:problem:role_required")
    assert body["detail"] == f"{route} is for: {admission.described()}. chan.tai-man has: no role."


def test_every_guarded_route_of_intake_names_a_scope() -> None:
    """Intake keeps keys that have scopes; a route without one would be shut to them by mistake."""
    assert [route for route, a in matrix_of("intake").routes.items() if not a.is_open and a.scope is None] == []


async def test_a_program_says_whose_review_it_brings(applications: dict[str, FastAPI]) -> None:
    headers = {"Authorization": f"Bearer {token_of('quality_reviewer', sub='tool', azp='tool')}"}
    transport = httpx.ASGITransport(applications["quality_audit"])
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as http:
        answer = await http.post(f"/v1/samples/{_ID}/review", json={"is_accurate": True, "is_complete": True})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reviewer")


async def test_a_reviewer_cannot_review_in_the_name_of_another(applications: dict[str, FastAPI]) -> None:
    body = {"reviewer": "somebody.else", "is_accurate": True, "is_complete": True}
    headers = {"Authorization": f"Bearer {token_of('quality_reviewer')}"}
    transport = httpx.ASGITransport(applications["quality_audit"])
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as http:
        answer = await http.post(f"/v1/samples/{_ID}/review", json=body)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:punctual:problem:other_reviewer")
    assert answer.json()["detail"] == "You are signed in as chan.tai-man."


@pytest.mark.parametrize("service", APPS)
def test_the_description_of_the_api_says_that_callers_must_be_known(
    applications: dict[str, FastAPI], service: str
) -> None:
    matrix = applications[service].state.access.matrix
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in applications[service].openapi()["paths"].items()
        for method, operation in methods.items()
    }
    assert operations
    for route, operation in operations.items():
        if matrix.routes[route].is_open:
            assert operation["security"] == []
        else:
            assert operation["security"] == [{"HTTPBearer": []}]
            assert {"401", "403", "503"} <= operation["responses"].keys()
