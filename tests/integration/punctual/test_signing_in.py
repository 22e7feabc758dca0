"""`punctual login`, `whoami` and `logout` as a person uses them, with the embedded issuer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from punctual.staff.identity import good_sign_in
from punctual.staff.sign_ins import SignInFile
from shared.http import KeyRing
from shared.http.access import ClaimNames, Identification, IssuerKeys, StaffRole, TrustedIssuer
from tests.access.browsing import PASSWORDS, Person, RunningIssuer

SERVICE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    issuer = RunningIssuer(tmp_path_factory.mktemp("issuer"))
    issuer.start()
    yield issuer
    assert issuer.end() == 0


class Desk:
    """A person's machine."""

    def __init__(self, folder: Path, issuer: RunningIssuer) -> None:
        self.issuer = issuer
        self.file = SignInFile(folder / "punctual")
        taken = {name: value for name, value in os.environ.items() if not name.startswith("PUNCTUAL_")}
        self._environment = {**taken, "XDG_CONFIG_HOME": str(folder), "PUNCTUAL_HOME": str(folder / "home")}

    def begin(self) -> tuple[subprocess.Popen[str], str]:
        """`punctual login`, and the address it prints."""
        options = ["--url", SERVICE, "--issuer", self.issuer.url]
        process = subprocess.Popen(
            self._command("login", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
        )
        assert process.stderr is not None
        assert process.stderr.readline() == "Sign in at:\n"
        return process, process.stderr.readline().strip()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments), capture_output=True, text=True, env=self._environment, timeout=60, check=False
        )

    def sign_in(self, name: str) -> str:
        process, address = self.begin()
        person = Person()
        answer = person.sign_in(person.open(address), name, PASSWORDS[name])
        landed = httpx.get(answer.headers["location"])
        assert "You can close this window" in landed.text
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return said

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "punctual.cli", *arguments]


@pytest.fixture
def desk(tmp_path: Path, issuer: RunningIssuer) -> Desk:
    return Desk(tmp_path, issuer)


async def test_a_person_signs_in_is_known_to_services_and_signs_out(desk: Desk) -> None:
    assert desk.sign_in("team-leader") == f"Signed in for {SERVICE} as team-leader.\n"
    shown = json.loads(desk.run("whoami", "--url", SERVICE, "--json").stdout)
    assert (shown["name"], shown["roles"], shown["by"]) == ("team-leader", ["team_leader"], "a sign-in")

    kept = desk.file.find(SERVICE)
    assert kept is not None
    trusted = TrustedIssuer(desk.issuer.url, "punctual", ClaimNames(), IssuerKeys(desk.issuer.url))
    principal = await Identification(KeyRing([]), trusted).identify(f"Bearer {kept.access_token}")
    assert principal.roles == {StaffRole.TEAM_LEADER}

    done = desk.run("logout", "--url", SERVICE, "--json")
    assert json.loads(done.stdout) == {"address": SERVICE, "was_signed_in": True, "is_withdrawn": True}
    form = {"grant_type": "refresh_token", "client_id": "punctual-cli", "refresh_token": kept.refresh_token or ""}
    assert httpx.post(f"{desk.issuer.url}/token", data=form).json()["error"] == "invalid_grant"
    again = desk.run("whoami", "--url", SERVICE)
    assert again.returncode == 78
    assert "`punctual login`" in again.stderr


def test_an_old_access_token_is_renewed_at_the_issuer(desk: Desk) -> None:
    desk.sign_in("auditor")
    kept = desk.file.find(SERVICE)
    assert kept is not None
    desk.file.put(SERVICE, kept.model_copy(update={"expires_at": kept.expires_at.replace(year=2020)}))
    renewed = good_sign_in(SERVICE, desk.file)
    assert renewed is not None
    assert renewed.access_token != kept.access_token
    assert renewed.refresh_token != kept.refresh_token


def test_a_stranger_on_this_machine_cannot_answer_for_the_issuer(desk: Desk) -> None:
    process, address = desk.begin()
    callback = httpx.URL(address).params["redirect_uri"]
    state = httpx.URL(address).params["state"]
    assert httpx.get(f"{callback}?code=stolen&state=guessed").status_code == 400
    assert httpx.get(f"{callback.removesuffix('/callback')}/favicon.ico").status_code == 400
    assert httpx.get(f"{callback}?code=stolen&state={state}&iss=https://evil.example").status_code == 200
    _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (1, "punctual: another issuer answered\n")


def test_what_the_issuer_refuses_is_said(desk: Desk) -> None:
    process, address = desk.begin()
    callback, state = (httpx.URL(address).params[name] for name in ("redirect_uri", "state"))
    httpx.get(f"{callback}?error=access_denied&state={state}&iss={desk.issuer.url}")
    _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (1, "punctual: the issuer refused: access_denied\n")
