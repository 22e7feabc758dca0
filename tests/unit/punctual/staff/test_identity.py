"""As whom the staff commands call: keys before sign-ins, a sign-in renewed in time, and sent to one address only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from punctual.staff import identity
from punctual.staff.identity import claims_in, find_identity
from punctual.staff.issuer import Issuer
from punctual.staff.sign_ins import SignIn, SignInFile
from shared.errors import ConfigurationError, PunctualError
from tests.access.issuing import token_of

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SERVICE = "https://sla.insurer.example"
ISSUER = "https://login.insurer.example"
DISCOVERY = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize?tenant=1",
    "token_endpoint": f"{ISSUER}/token",
    "revocation_endpoint": f"{ISSUER}/revoke",
}


class World:
    """An issuer that answers what a test says, and a user's folders."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = SignInFile(folder / "config")
        self.asked: list[Mapping[str, str]] = []
        self.answer = httpx.Response(200, json={"access_token": "new", "token_type": "Bearer", "expires_in": 900})
        self.discovery: Any = DISCOVERY
        monkeypatch.setenv("PUNCTUAL_HOME", str(folder))
        monkeypatch.delenv("PUNCTUAL_SLA_TIMER_URL", raising=False)
        monkeypatch.delenv("PUNCTUAL_STAFF_KEY", raising=False)
        monkeypatch.setattr(identity, "real_now", lambda: NOW)
        monkeypatch.setattr(httpx, "request", self._request)

    def sign_in(self, *, refresh_token: str | None = "refresh", minutes: float = 10) -> None:
        expires_at = NOW + timedelta(minutes=minutes)
        sign_in = SignIn(
            issuer=ISSUER,
            client_id="punctual-cli",
            access_token="access",
            refresh_token=refresh_token,
            expires_at=expires_at,
        )
        self.file.put(SERVICE + "/", sign_in)

    def _request(self, method: str, _: str, *, data: Mapping[str, str] | None, **__: object) -> httpx.Response:
        if method == "GET":
            return httpx.Response(200, json=self.discovery)
        assert data is not None
        self.asked.append(data)
        return self.answer


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_a_sign_in_is_used_where_no_key_is_given(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sign_in()
    assert find_identity(SERVICE, None, world.file).secret == "access"
    assert find_identity(SERVICE, "key", world.file).secret == "key"
    monkeypatch.setenv("PUNCTUAL_STAFF_KEY", "from the environment")
    assert find_identity(SERVICE, None, world.file).secret == "from the environment"


def test_a_sign_in_is_sent_to_no_other_address(world: World) -> None:
    world.sign_in()
    with pytest.raises(ConfigurationError, match=r"a staff key for https://other\.example is needed.*`punctual login`"):
        find_identity("https://other.example", None, world.file)


def test_a_sign_in_comes_before_the_key_of_the_local_system(world: World, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/run.json").write_text(json.dumps({"state": "ready", "addresses": {"sla_timer": SERVICE}}))
    (tmp_path / "data/secrets.json").write_text(json.dumps({"api_keys": {"staff": "local"}}))
    assert find_identity(None, None, world.file).source == "the local system's staff key"
    world.sign_in()
    assert find_identity(None, None, world.file).secret == "access"


def test_an_access_token_that_is_about_to_expire_is_renewed_once(world: World) -> None:
    world.sign_in(minutes=0.4)
    assert find_identity(SERVICE, None, world.file).secret == "new"
    assert find_identity(SERVICE, None, world.file).secret == "new"
    assert [form["refresh_token"] for form in world.asked] == ["refresh"]
    kept = world.file.find(SERVICE)
    assert kept is not None
    assert kept.refresh_token == "refresh"  # the issuer gave no other


def test_of_many_commands_at_once_one_renews(world: World) -> None:
    world.sign_in(minutes=-1)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: find_identity(SERVICE, None, world.file).secret, range(8)))
    assert found == ["new"] * 8
    assert len(world.asked) == 1


@pytest.mark.parametrize("refresh_token", ["refresh", None])
def test_a_sign_in_that_has_ended_says_what_to_do(world: World, refresh_token: str | None) -> None:
    world.sign_in(minutes=-1, refresh_token=refresh_token)
    world.answer = httpx.Response(400, json={"error": "invalid_grant"})
    with pytest.raises(PunctualError, match=r"has ended; `punctual login` signs in again, `punctual logout` forgets"):
        find_identity(SERVICE, None, world.file)


def test_the_file_is_closed_to_others_and_a_broken_one_is_named(world: World, tmp_path: Path) -> None:
    world.sign_in()
    file = tmp_path / "config/sign-ins.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.write_text("[]")
    with pytest.raises(ConfigurationError, match=r"sign-ins\.json cannot be read; remove it and sign in again"):
        world.file.find(SERVICE)


def test_what_was_removed_is_gone(world: World) -> None:
    world.sign_in()
    assert world.file.remove(SERVICE) is not None
    assert world.file.remove(SERVICE) is None
    assert world.file.find(SERVICE) is None


@pytest.mark.usefixtures("world")
def test_a_sign_in_is_asked_for_with_pkce() -> None:
    asked = Issuer(ISSUER, "punctual-cli").ask("http://127.0.0.1:1/callback", "openid")
    query = httpx.URL(asked.url).params
    assert query["tenant"] == "1"
    assert query["code_challenge_method"] == "S256"
    assert query["state"] == asked.state
    assert asked.verifier not in asked.url


@pytest.mark.parametrize(
    "discovery",
    [{}, [], {**DISCOVERY, "issuer": "https://other.example"}],
)
def test_an_issuer_that_calls_itself_otherwise_is_not_trusted(world: World, discovery: Any) -> None:
    world.discovery = discovery
    with pytest.raises(ConfigurationError, match="is no issuer that calls itself so"):
        Issuer(ISSUER, "punctual-cli")


def test_an_issuer_without_encryption_is_not_asked(world: World) -> None:
    with pytest.raises(ConfigurationError, match="begins with https://"):
        Issuer("http://login.insurer.example", "punctual-cli")
    world.discovery = {**DISCOVERY, "token_endpoint": "http://login.insurer.example/token"}
    with pytest.raises(ConfigurationError, match="has no usable token_endpoint"):
        Issuer(ISSUER, "punctual-cli").renew("refresh", NOW)


def test_what_a_token_says_can_be_shown_and_nonsense_is_nothing() -> None:
    assert claims_in(token_of("auditor"))["roles"] == ["auditor"]
    assert claims_in("opaque") == claims_in("a.b.c") == claims_in("a.W10.c") == {}
