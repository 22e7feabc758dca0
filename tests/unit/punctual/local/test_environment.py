"""What the services of a local system are told about their issuer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from punctual.local.credentials import load_credentials
from punctual.local.environment import Addresses, platform_environment
from punctual.local.folders import Folders
from punctual.local.ports import PREFERRED
from shared.settings import PlatformSettings, load_settings


@pytest.fixture
def where(tmp_path: Path) -> Addresses:
    folders = Folders(tmp_path)
    folders.make()
    return Addresses.of(PREFERRED, load_credentials(folders, ["intake"]), ["intake"])


def test_services_trust_the_issuer_of_their_system_and_no_other_of_the_caller(
    where: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUNCTUAL_OIDC_ISSUER", "https://login.insurer.example")
    monkeypatch.setenv("PUNCTUAL_OIDC_ROLE_NAMES", '{"Anybody": "administrator"}')
    for name, value in platform_environment(where, None, Path("keys.json")).items():
        monkeypatch.setenv(name, value)
    settings = load_settings(PlatformSettings)
    assert settings.oidc_issuer == where.public()["issuer"] == "http://127.0.0.1:8827"
    assert (settings.oidc_audience, settings.oidc_role_names) == ("punctual", {})


def test_where_no_issuer_runs_none_is_trusted(where: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    without = replace(where, issuer_url=None)
    for name, value in platform_environment(without, None, Path("keys.json")).items():
        monkeypatch.setenv(name, value)
    assert load_settings(PlatformSettings).oidc_issuer is None
    assert "issuer" not in without.public()
