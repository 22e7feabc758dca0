"""Access opened from the environment: what is wrong is found at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import ConfigurationError
from shared.http import Problem
from shared.http.access import open_access
from shared.settings import PlatformSettings, load_settings
from tests.access.opening import ROOT

MATRIX = ROOT / "services/notifier/access.yml"


def platform(monkeypatch: pytest.MonkeyPatch, **variables: str) -> PlatformSettings:
    monkeypatch.delenv("PUNCTUAL_API_KEYS_FILE", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(f"PUNCTUAL_{name}", value)
    return load_settings(PlatformSettings)


async def test_with_an_issuer_no_keys_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    access = open_access(platform(monkeypatch, OIDC_ISSUER="https://login.insurer.example"), MATRIX)
    with pytest.raises(Problem, match="An access token or an API key is required"):
        await access.identification.identify(None)


def test_with_neither_issuer_nor_keys_the_start_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="PUNCTUAL_API_KEYS_FILE is not set"):
        open_access(platform(monkeypatch), MATRIX)


def test_a_role_that_does_not_exist_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = platform(monkeypatch, OIDC_ISSUER="https://login.insurer.example", OIDC_ROLE_NAMES='{"Leads": "leader"}')
    with pytest.raises(ConfigurationError, match="PUNCTUAL_OIDC_ROLE_NAMES"):
        open_access(settings, MATRIX)


@pytest.mark.parametrize(("content", "complaint"), [(None, "No such file"), (b"\xff", "is not UTF-8 text")])
def test_a_matrix_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    file = tmp_path / "access.yml"
    if content is not None:
        file.write_bytes(content)
    settings = platform(monkeypatch, OIDC_ISSUER="https://login.insurer.example")
    with pytest.raises(ConfigurationError, match=rf"access\.yml: {complaint}"):
        open_access(settings, file)
