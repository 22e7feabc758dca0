"""What the service refuses to start with, and how it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.quality_audit.app import master_secret, read_plan
from services.quality_audit.settings import PLAN_OF_THE_HOUSE, Settings
from shared.errors import ConfigurationError
from shared.settings import describe, load_settings


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PUNCTUAL_QUALITY_AUDIT_DATABASE_URL", "postgresql://punctual_quality_audit:x@127.0.0.1/p")
    monkeypatch.setenv("PUNCTUAL_QUALITY_AUDIT_SAMPLING_SECRET", "s" * 32)
    return load_settings(Settings)


def test_the_house_has_a_plan(settings: Settings) -> None:
    assert settings.sampling_file == PLAN_OF_THE_HOUSE
    assert read_plan(settings.sampling_file).plan.risk_names[-1] == "ordinary"


def test_the_secret_is_never_shown(settings: Settings) -> None:
    assert master_secret(settings) == b"s" * 32
    assert "ssss" not in repr(settings) + str(describe(settings))


@pytest.mark.usefixtures("settings")
def test_a_short_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUNCTUAL_QUALITY_AUDIT_SAMPLING_SECRET", "s" * 31)
    with pytest.raises(ConfigurationError, match="PUNCTUAL_QUALITY_AUDIT_SAMPLING_SECRET needs 32 characters"):
        master_secret(load_settings(Settings))


@pytest.mark.usefixtures("settings")
def test_without_a_secret_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUNCTUAL_QUALITY_AUDIT_SAMPLING_SECRET")
    with pytest.raises(ConfigurationError, match="PUNCTUAL_QUALITY_AUDIT_SAMPLING_SECRET: Field required"):
        load_settings(Settings)


def test_a_missing_plan_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yml: No such file"):
        read_plan(tmp_path / "none.yml")


def test_a_plan_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "plan.yml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=r"plan\.yml: is not UTF-8"):
        read_plan(path)


def test_a_wrong_plan_is_told_with_its_path_and_line(tmp_path: Path) -> None:
    path = tmp_path / "plan.yml"
    path.write_text(PLAN_OF_THE_HOUSE.read_text(encoding="utf-8").replace("version: 1", "version: one"), "utf-8")
    with pytest.raises(ConfigurationError, match=rf"{path}, line 3: version: Input should be a valid integer"):
        read_plan(path)
