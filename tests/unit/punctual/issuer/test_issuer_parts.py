"""The issuer's accounts, keys, sessions and limits, without HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import jwt
import pytest
from argon2 import PasswordHasher

from punctual.local.credentials import ACCOUNTS, TEAMS
from punctual.local.issuer.accounts import Account, AccountBook, add_missing
from punctual.local.issuer.attempts import MOST_PER_ADDRESS, MOST_PER_NAME, WINDOW_SECONDS, Attempts
from punctual.local.issuer.clients import is_challenge, may_be_answered_at, proves
from punctual.local.issuer.grants import Waiting
from punctual.local.issuer.sessions import SESSION, Sessions
from punctual.local.issuer.signing_keys import SigningKeys
from shared.errors import ConfigurationError
from shared.http.access import StaffRole

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


# Accounts


def test_there_is_a_demo_account_for_each_role() -> None:
    assert list(ACCOUNTS.values()) == [(role.value,) for role in StaffRole]


def test_an_account_is_made_once_and_its_password_is_kept_as_a_hash(tmp_path: Path) -> None:
    file = tmp_path / "issuer" / "accounts.json"
    add_missing(file, {"manager": "open sesame"}, ACCOUNTS, TEAMS, QUICK)
    first = file.read_text()
    add_missing(file, {"manager": "another"}, ACCOUNTS, TEAMS, QUICK)
    add_missing(file, {"manager": "another", "auditor": "x"}, ACCOUNTS, TEAMS, QUICK)
    book = AccountBook.load(file, QUICK)
    assert "open sesame" not in first
    assert file.stat().st_mode & 0o777 == 0o600
    assert book.find("auditor") is not None
    assert book.find("handler") is None
    add_missing(file, {"handler": "y"}, ACCOUNTS, TEAMS, QUICK)
    handler = AccountBook.load(file, QUICK).find("handler")
    assert handler is not None
    assert handler.teams == ("claim_team",)
    found = book.check("manager", "open sesame")
    assert found is not None
    assert found.roles == ("manager",)
    assert book.check("manager", "another") is None


def test_an_unknown_account_takes_as_much_work_as_a_known_one() -> None:
    checked: list[str] = []

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            checked.append(str(hash).rpartition("$")[0].rpartition("$")[0])
            return super().verify(hash, password)

    hasher = Watched(time_cost=1, memory_cost=8, parallelism=1)
    account = Account(name="manager", subject="1", roles=(), password=hasher.hash("right"))
    book = AccountBook([account], hasher)
    assert book.check("manager", "wrong") is None
    assert book.check("nobody", "wrong") is None
    assert checked[0] == checked[1] == "$argon2id$v=19$m=8,t=1,p=1"


@pytest.mark.parametrize("text", ["", "[]", '{"accounts": [{"name": "A"}]}'])
def test_a_broken_file_of_accounts_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "accounts.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"accounts\.json: "):
        AccountBook.load(file, QUICK)


# Limits


def test_after_five_wrong_passwords_an_account_waits_until_the_first_is_old() -> None:
    attempts = Attempts()
    assert [attempts.begin("manager", "a", float(at)) for at in range(MOST_PER_NAME)] == [0] * MOST_PER_NAME
    assert attempts.begin("manager", "b", 10.0) == WINDOW_SECONDS - 10
    assert attempts.begin("auditor", "b", 10.0) == 0
    assert attempts.begin("manager", "b", WINDOW_SECONDS) == 0


def test_a_right_password_forgets_the_wrong_ones() -> None:
    attempts = Attempts()
    for at in range(3 * MOST_PER_NAME):
        assert attempts.begin("manager", "a", float(at)) == 0
        attempts.succeeded("manager", "a")


def test_one_address_cannot_go_through_all_names() -> None:
    attempts = Attempts()
    waits = [attempts.begin(f"name {number}", "a", 0.0) for number in range(MOST_PER_ADDRESS + 1)]
    assert waits == [0] * MOST_PER_ADDRESS + [WINDOW_SECONDS]


# Programs


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:51000/callback",
        "http://[::1]:51000/callback",
    ],
)
def test_a_program_is_answered_on_this_machine_at_any_port(address: str) -> None:
    assert may_be_answered_at("punctual-cli", address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://127.0.0.1/callback",
        "http://localhost:51000/callback",
        "https://127.0.0.1:51000/callback",
        "http://127.0.0.1:51000/other",
        "http://127.0.0.1:51000/callback?x=1",
        "http://127.0.0.1:51000/callback#x",
        "http://127.0.0.1:51000@evil.example/callback",
        "http://evil.example:80/callback",
        "http://127.0.0.1:99999/callback",
        "http://[::1/callback",
        "http://evil.example\\@127.0.0.1:1/callback",
    ],
)
def test_a_program_is_answered_nowhere_else(address: str) -> None:
    assert not may_be_answered_at("punctual-cli", address)
    assert not may_be_answered_at("stranger", "http://127.0.0.1:51000/callback")


def test_only_the_verifier_that_made_a_challenge_proves_it() -> None:
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert is_challenge(challenge)
    assert proves(verifier, challenge)
    assert not proves("w" * 43, challenge)
    assert not proves("v" * 42, challenge)
    assert not is_challenge("")


# Things that wait


def test_what_waits_is_gone_after_its_time_and_when_there_is_too_much() -> None:
    waiting: Waiting[str] = Waiting(60)
    name = waiting.put("code", 0.0)
    assert waiting.get(name, 59.9) == "code"
    assert waiting.get(name, 60.0) is None
    for _ in range(1000):
        waiting.put("another", 0.0)
    assert waiting.get(name, 1.0) is None


# Sessions


def test_a_refresh_token_is_good_once_and_then_its_successor(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "sessions.json")
    _, first = sessions.begin("manager", "punctual-cli", "openid", 1, NOW)
    renewed = sessions.renew(first, "punctual-cli", NOW)
    assert renewed is not None
    again = Sessions(tmp_path / "sessions.json").renew(renewed[1], "punctual-cli", NOW)
    assert again is not None
    assert again[0].account == "manager"
    assert (tmp_path / "sessions.json").stat().st_mode & 0o777 == 0o600
    assert first.partition(".")[2] not in (tmp_path / "sessions.json").read_text()


def test_a_refresh_token_that_comes_twice_ends_the_session(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "sessions.json")
    _, first = sessions.begin("manager", "punctual-cli", "openid", 1, NOW)
    renewed = sessions.renew(first, "punctual-cli", NOW)
    assert renewed is not None
    assert sessions.renew(first, "punctual-cli", NOW) is None
    assert sessions.renew(renewed[1], "punctual-cli", NOW) is None


def test_a_session_ends_after_a_working_day_and_belongs_to_one_program(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "sessions.json")
    _, token = sessions.begin("manager", "punctual-cli", "openid", 1, NOW)
    assert sessions.renew(token, "another", NOW) is None
    assert sessions.renew(token, "punctual-cli", NOW + SESSION) is None
    assert sessions.renew(token, "punctual-cli", NOW + SESSION - timedelta(seconds=1)) is not None


# Keys


def test_a_new_key_signs_and_the_old_one_stays_published_for_an_hour(tmp_path: Path) -> None:
    file = tmp_path / "signing_keys.json"
    keys = SigningKeys(file, NOW)
    old = keys.published()["keys"][0]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "d" not in old
    keys.rotate(NOW)
    assert keys.published()["keys"][0]["kid"] == old["kid"]
    signed = jwt.get_unverified_header(keys.sign({"sub": "x"}, "JWT"))
    assert signed["kid"] == keys.published()["keys"][1]["kid"] != old["kid"]
    keys.rotate(NOW + timedelta(hours=2))
    assert old["kid"] not in json.dumps(keys.published())


def test_keys_are_kept_over_a_restart_and_replaced_after_a_month(tmp_path: Path) -> None:
    first = SigningKeys(tmp_path / "keys.json", NOW).published()
    assert SigningKeys(tmp_path / "keys.json", NOW + timedelta(days=30)).published() == first
    assert len(SigningKeys(tmp_path / "keys.json", NOW + timedelta(days=31)).published()["keys"]) == 2


def test_a_broken_file_of_keys_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")
    with pytest.raises(ConfigurationError, match=r"keys\.json: is no file of signing keys"):
        SigningKeys(tmp_path / "keys.json", NOW)
