"""The file that says who may call what: its mistakes are named, and it must fit the application."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, Response

from shared.errors import ConfigurationError
from shared.http import KeyRing, create_app
from shared.http.access import Access, Identification, KeyTerms, Principal, Scope, read_matrix

PROBES = "".join(f"  GET {path}: anybody\n" for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"))
SCOPES = "audit, batch, feedback, keys, move, privacy, processes, quality, read, submit, texts, verify"
WORDS = "administrator, auditor, channel, handler, manager, quality_reviewer, team_leader"


async def _ready() -> dict[str, str | None]:
    return {}


def complaints(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read_matrix(text, "access.yml")
    return str(refused.value).splitlines()


def start(text: str) -> None:
    access = Access(Identification(KeyRing([])), read_matrix(text, "access.yml"))
    app = create_app("example", readiness=_ready, access=access)

    @app.get("/v1/things/{thing}")
    async def thing() -> None:
        """Guarded."""

    app.add_route("/v1/stray", lambda _: Response())
    access.check_routes(app)


def test_groups_stand_for_their_members() -> None:
    matrix = read_matrix("groups: {some: [auditor, channel]}\nroutes: {GET /a: [some, handler], PUT /a: manager}", "f")
    assert {route: admission.words for route, admission in matrix.routes.items()} == {
        "GET /a": {"auditor", "channel", "handler"},
        "PUT /a": {"manager"},
    }
    assert matrix.routes["GET /a"].described() == "handler, auditor, channel"


def test_a_route_may_name_the_scope_that_a_key_needs() -> None:
    matrix = read_matrix("routes: {GET /a: {for: [channel], scope: read}, GET /b: channel}", "f")
    scoped, unscoped = matrix.routes["GET /a"], matrix.routes["GET /b"]
    for scopes, expected in (({"read"}, (True, False)), ({"move"}, (False, False)), (None, (True, True))):
        terms = KeyTerms("k", None if scopes is None else frozenset(map(Scope, scopes)))
        caller = Principal("app", "app", "channel", terms=terms)
        assert (scoped.is_in_scope(caller), unscoped.is_in_scope(caller)) == expected
    assert unscoped.is_in_scope(Principal("7f3a", "chan", "staff"))


def test_every_mistake_is_named_with_file_line_and_field() -> None:
    assert complaints(
        "groups:\n  handler: [auditor]\nroutes:\n  GET /a: [handlr]\n  FETCH /a: handler\n"
        "  GET /b: [anybody, handler]\n  GET /c: []\n  GET /d: {for: handler, scope: all}\n"
    ) == [
        "access.yml, line 2, groups.handler: is not a name for a group: a word in small letters that is no role",
        "access.yml, line 4, routes.GET /a[0]: 'handlr' is not one of " + WORDS,
        "access.yml, line 5, routes.FETCH /a: is not a method and a path such as GET /v1/clocks",
        "access.yml, line 6, routes.GET /b[0]: anybody stands alone",
        "access.yml, line 7, routes.GET /c: admits nobody",
        "access.yml, line 8, routes.GET /d.scope: 'all' is not one of " + SCOPES,
    ]


@pytest.mark.parametrize("text", ["", "routes: {", "- a", "routes: {GET /a: {x: y}}", "roles: {}"])
def test_what_is_no_such_file_is_one_readable_complaint(text: str) -> None:
    assert complaints(text)[0].startswith("access.yml, line ")


def test_a_route_that_the_file_lacks_stops_the_start() -> None:
    with pytest.raises(ConfigurationError) as refused:
        start("routes:\n" + PROBES + "  GET /v1/stray: anybody\n")
    assert str(refused.value) == "access.yml, line 1, routes.GET /v1/things/{thing}: is a route and missing here"


def test_an_entry_that_is_no_route_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"line 2, routes\.GET /v1/gone: is no route of this service"):
        start(
            "routes:\n  GET /v1/gone: handler\n  GET /v1/stray: anybody\n  GET /v1/things/{thing}: handler\n" + PROBES
        )


def test_a_route_that_nothing_stands_before_must_be_open_to_anybody() -> None:
    with pytest.raises(ConfigurationError, match=r"line 2, routes\.GET /v1/stray: cannot be guarded; say anybody"):
        start("routes:\n  GET /v1/stray: handler\n  GET /v1/things/{thing}: handler\n" + PROBES)


def test_a_router_that_forgot_the_class_of_guarded_routes_stops_the_start() -> None:
    access = Access(
        Identification(KeyRing([])), read_matrix("routes:\n  GET /v1/open: handler\n" + PROBES, "access.yml")
    )
    app = create_app("example", readiness=_ready, access=access)
    router = APIRouter()
    router.add_api_route("/v1/open", _ready)
    app.include_router(router)
    with pytest.raises(ConfigurationError, match=r"line 2, routes\.GET /v1/open: cannot be guarded; say anybody"):
        access.check_routes(app)


def test_a_file_that_fits_lets_the_start_go_on() -> None:
    start("routes:\n  GET /v1/stray: anybody\n  GET /v1/things/{thing}: handler\n" + PROBES)
