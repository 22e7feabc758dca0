"""The commands for API keys: what they ask of intake, and what they print."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from punctual.cli import make_app
from punctual.staff.connection import Refused

KEY = "pk_K7M4Q2XD_" + "a" * 43
VIEW: dict[str, Any] = {
    "prefix": "K7M4Q2XD",
    "name": "branch",
    "role": "channel",
    "scopes": ["read", "submit"],
    "state": "good",
    "created_at": "2026-11-26T09:00:00Z",
    "created_by": "lee",
    "expires_at": None,
    "last_used_at": None,
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """What intake was asked."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.method == "GET":
            return httpx.Response(200, json=[VIEW])
        if request.url.path.endswith("ZZZZZZZZ:revoke"):
            return httpx.Response(404, json={"title": "No such key", "detail": "No key begins with pk_ZZZZZZZZ."})
        return httpx.Response(201, json=VIEW | {"key": KEY})

    class Client(httpx.Client):
        def __init__(self, *, base_url: str, headers: dict[str, str], **_: object) -> None:
            super().__init__(base_url=base_url, headers=headers, transport=httpx.MockTransport(answer))

    monkeypatch.setattr(httpx, "Client", Client)
    return seen


def run(*arguments: str) -> tuple[str, str]:
    where = ["--url", "https://intake", "--key", "secret"]
    done = CliRunner().invoke(make_app(["keys"]), ["keys", *arguments, *where], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_a_new_key_is_printed_alone_so_that_a_pipe_gets_nothing_else(asked: list[httpx.Request]) -> None:
    out, told = run("create", "branch", "--scope", "submit", "--scope", "read", "--rate", "5", "--burst", "9")
    assert out == f"{KEY}\n"
    assert "shown this once" in told
    (request,) = asked
    assert (request.url.path, request.headers["authorization"]) == ("/v1/keys", "Bearer secret")
    assert request.headers["idempotency-key"]
    body = json.loads(request.content)
    assert body["scopes"] == ["submit", "read"]
    assert (body["role"], body["rate_per_second"], body["burst"]) == ("channel", 5.0, 9)


def test_the_list_shows_who_has_which_key(asked: list[httpx.Request]) -> None:
    out, _ = run("list", "--name", "branch")
    assert "K7M4Q2XD" in out
    assert dict(asked[0].url.params) == {"name": "branch", "limit": "50"}
    assert json.loads(run("list", "--json")[0]) == [VIEW]


@pytest.mark.parametrize("given", ["K7M4Q2XD", KEY])
def test_a_key_that_is_named_by_itself_goes_nowhere_but_its_prefix(asked: list[httpx.Request], given: str) -> None:
    assert run("rotate", given, "--overlap-days", "2")[0] == f"{KEY}\n"
    assert run("revoke", given)[0] == "The key K7M4Q2XD of branch was revoked.\n"
    assert [request.url.path for request in asked] == ["/v1/keys/K7M4Q2XD:rotate", "/v1/keys/K7M4Q2XD:revoke"]
    assert json.loads(asked[0].content) == {"overlap_seconds": 172_800}


def test_a_refusal_is_told_in_the_words_of_the_service(asked: list[httpx.Request]) -> None:
    with pytest.raises(Refused, match="No such key"):
        run("revoke", "ZZZZZZZZ")
    assert len(asked) == 1
