"""The embedded issuer over HTTP: what a browser and a program get from it, and what an attacker does not."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest

from shared.http import KeyRing
from shared.http.access import ClaimNames, Identification, IssuerKeys, Principal, StaffRole, TrustedIssuer
from tests.access.browsing import PASSWORDS, Person, RunningIssuer

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT = "http://127.0.0.1:51999/callback"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    issuer = RunningIssuer(tmp_path_factory.mktemp("issuer"))
    issuer.start()
    yield issuer
    assert issuer.end() == 0


def address(issuer: RunningIssuer, **changed: str | None) -> str:
    query = {
        "response_type": "code",
        "client_id": "punctual-cli",
        "redirect_uri": REDIRECT,
        "scope": "openid offline_access",
        "state": "a state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "nonce": "a nonce",
        **changed,
    }
    return f"{issuer.url}/authorize?{urlencode({k: v for k, v in query.items() if v is not None})}"


def answer_in(response: httpx.Response) -> dict[str, str]:
    assert response.status_code == 303
    target = urlsplit(response.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == REDIRECT
    return {name: values[0] for name, values in parse_qs(target.query).items()}


def code_for(issuer: RunningIssuer, name: str) -> str:
    person = Person()
    return answer_in(person.sign_in(person.open(address(issuer)), name, PASSWORDS[name]))["code"]


def token(issuer: RunningIssuer, **form: str) -> httpx.Response:
    return httpx.post(f"{issuer.url}/token", data={"client_id": "punctual-cli", **form})


def redeem(issuer: RunningIssuer, code: str, **changed: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return token(issuer, **{**form, **changed})


async def recognised(issuer: RunningIssuer, access_token: str) -> Principal:
    """Who a service takes the bearer for."""
    trusted = TrustedIssuer(issuer.url, "punctual", ClaimNames(), IssuerKeys(issuer.url))
    return await Identification(KeyRing([]), trusted).identify(f"Bearer {access_token}")


@pytest.mark.parametrize("role", StaffRole)
async def test_a_person_signs_in_and_a_service_knows_the_role(issuer: RunningIssuer, role: StaffRole) -> None:
    name = role.value.replace("_", "-")
    tokens = redeem(issuer, code_for(issuer, name)).json()
    principal = await recognised(issuer, tokens["access_token"])
    assert (principal.name, principal.kind) == (name, "staff")
    assert principal.roles == {role}
    assert tokens["expires_in"] == 900


def test_the_answer_carries_state_and_issuer_and_the_id_token_its_nonce(issuer: RunningIssuer) -> None:
    person = Person()
    answer = answer_in(person.sign_in(person.open(address(issuer)), "manager", PASSWORDS["manager"]))
    assert (answer["state"], answer["iss"]) == ("a state", issuer.url)
    response = redeem(issuer, answer["code"])
    assert response.headers["cache-control"] == "no-store"
    keys = jwt.PyJWKSet.from_dict(httpx.get(f"{issuer.url}/jwks").json())
    identity = jwt.decode(response.json()["id_token"], keys.keys[0], audience="punctual-cli", issuer=issuer.url)
    assert identity["nonce"] == "a nonce"


def test_the_page_needs_no_script_and_can_be_framed_by_nobody(issuer: RunningIssuer) -> None:
    page = Person().open(address(issuer))
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self' http://127.0.0.1:51999;" in policy
    assert policy.endswith("frame-ancestors 'none'; base-uri 'none'")
    style = re.search(r"<style>(.*)</style>", page.text, re.DOTALL)
    assert style is not None
    assert base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode() in policy
    assert "<script" not in page.text
    assert not [name for name in PASSWORDS if name in page.text], "which accounts there are is not for strangers"
    assert httpx.get(issuer.url).headers["content-security-policy"].startswith("default-src 'none'")
    assert page.text.count("<label for=") == 2
    cookie = page.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_wrong_password_is_said_and_an_unknown_account_is_not_told_apart(issuer: RunningIssuer) -> None:
    person = Person()
    page = person.open(address(issuer))
    wrong = person.sign_in(page, "auditor", "not it")
    unknown = person.sign_in(page, "nobody<b>", "not it")
    assert (wrong.status_code, unknown.status_code) == (403, 403)
    for answer in (wrong, unknown):
        assert 'role="alert">Account or password is wrong.<' in answer.text
        assert "<b>" not in answer.text
    assert person.sign_in(page, "auditor", PASSWORDS["auditor"]).status_code == 303


def test_after_five_wrong_passwords_even_the_right_one_waits(issuer: RunningIssuer) -> None:
    person = Person()
    page = person.open(address(issuer))
    statuses = [person.sign_in(page, "team-leader", f"guess {number}").status_code for number in range(5)]
    assert statuses == [403] * 5
    late = person.sign_in(page, "team-leader", PASSWORDS["team-leader"])
    assert late.status_code == 429
    assert 800 < int(late.headers["retry-after"]) <= 900
    assert "Too many attempts" in late.text


def test_a_form_from_another_browser_or_page_is_refused(issuer: RunningIssuer) -> None:
    person, stranger = Person(), Person()
    page = person.open(address(issuer))
    assert stranger.sign_in(page, "manager", PASSWORDS["manager"]).status_code == 400
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert ticket is not None
    form = {"ticket": ticket[1], "name": "manager", "password": PASSWORDS["manager"]}
    assert person.send(f"{issuer.url}/authorize", form, "https://evil.example").status_code == 400
    assert person.send(f"{issuer.url}/authorize", form, issuer.url).status_code == 303


def test_a_form_is_good_once(issuer: RunningIssuer) -> None:
    person = Person()
    page = person.open(address(issuer))
    assert person.sign_in(page, "manager", PASSWORDS["manager"]).status_code == 303
    assert person.sign_in(page, "manager", PASSWORDS["manager"]).status_code == 400


@pytest.mark.parametrize(
    "changed", [{"redirect_uri": "https://evil.example/callback"}, {"client_id": "stranger"}, {"redirect_uri": None}]
)
def test_nobody_is_sent_to_an_address_that_is_not_the_programs(
    issuer: RunningIssuer, changed: dict[str, str | None]
) -> None:
    answer = Person().open(address(issuer, **changed))
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_a_program_that_asks_wrongly_is_told_so(
    issuer: RunningIssuer, changed: dict[str, str | None], error: str
) -> None:
    assert answer_in(Person().open(address(issuer, **changed)))["error"] == error


def test_a_code_is_good_once_and_a_second_use_withdraws_its_tokens(issuer: RunningIssuer) -> None:
    code = code_for(issuer, "manager")
    first = redeem(issuer, code)
    assert redeem(issuer, code).json()["error"] == "invalid_grant"
    refreshed = token(issuer, grant_type="refresh_token", refresh_token=first.json()["refresh_token"])
    assert refreshed.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed", [{"code_verifier": "w" * 64}, {"redirect_uri": "http://127.0.0.1:1/callback"}, {"code_verifier": ""}]
)
def test_a_code_without_its_verifier_is_worth_nothing_and_lost(issuer: RunningIssuer, changed: dict[str, str]) -> None:
    code = code_for(issuer, "manager")
    assert redeem(issuer, code, **changed).json()["error"] == "invalid_grant"
    assert redeem(issuer, code).json()["error"] == "invalid_grant"


def test_a_refresh_token_is_replaced_and_its_second_use_ends_the_session(issuer: RunningIssuer) -> None:
    first = redeem(issuer, code_for(issuer, "manager")).json()["refresh_token"]
    second = token(issuer, grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
    assert second != first
    assert token(issuer, grant_type="refresh_token", refresh_token=first).json()["error"] == "invalid_grant"
    assert token(issuer, grant_type="refresh_token", refresh_token=second).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("form", [{}, {"grant_type": "password"}, {"grant_type": "refresh_token"}, {"client_id": "x"}])
def test_nonsense_at_the_token_endpoint_is_an_error_of_oauth(issuer: RunningIssuer, form: dict[str, str]) -> None:
    answer = token(issuer, **form)
    assert answer.status_code == 400
    assert answer.json()["error"] in {"unsupported_grant_type", "invalid_grant", "invalid_client"}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"&".join(b"a%d=1" % number for number in range(50)), "application/x-www-form-urlencoded"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
    ],
)
def test_a_broken_form_is_an_error_of_oauth(issuer: RunningIssuer, content: bytes, kind: str) -> None:
    answer = httpx.post(f"{issuer.url}/token", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_sessions_and_keys_outlive_a_restart_and_old_tokens_a_new_key(tmp_path: Path) -> None:
    issuer = RunningIssuer(tmp_path)
    issuer.start()
    before = redeem(issuer, code_for(issuer, "auditor")).json()
    assert issuer.end() == 0
    subprocess.run(issuer.command("--rotate-keys"), check=True)
    issuer.start()
    after = token(issuer, grant_type="refresh_token", refresh_token=before["refresh_token"]).json()
    key_ids = {jwt.get_unverified_header(tokens["access_token"])["kid"] for tokens in (before, after)}
    assert len(key_ids) == 2
    for tokens in (before, after):
        assert (await recognised(issuer, tokens["access_token"])).name == "auditor"
    assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("*.json")} == {0o600}
    assert issuer.end() == 0


def test_a_taken_port_is_told_in_one_line(issuer: RunningIssuer) -> None:
    done = subprocess.run(issuer.command(), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 78
    assert f"punctual issuer: port {issuer.port} cannot be listened on" in done.stderr
