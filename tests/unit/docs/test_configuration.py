"""docs/configuration.md lists exactly the variables that the programs read, with their defaults."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings
from typer.testing import CliRunner

from punctual.cli import make_app
from punctual.commands import config
from punctual.local.settings import LocalSettings
from punctual.staff.settings import CommandSettings
from shared.settings import PlatformSettings

_NAME = re.compile(r"\bPUNCTUAL_[A-Z0-9_]*[A-Z0-9]\b")

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/settings.py"))
READ_BY_TESTS = {"PUNCTUAL_TEST_ADMIN_URL", "PUNCTUAL_TEST_KAFKA"}


def classes() -> list[type[BaseSettings]]:
    services = [importlib.import_module(f"services.{service}.settings").Settings for service in SERVICES]
    return [PlatformSettings, LocalSettings, CommandSettings, *services]


def variables(settings: type[BaseSettings]) -> dict[str, Any]:
    prefix = settings.model_config.get("env_prefix", "")
    return {f"{prefix}{name}".upper(): field for name, field in settings.model_fields.items() if name != "platform"}


@pytest.mark.parametrize("settings", classes(), ids=lambda settings: settings.__module__)
def test_every_variable_is_listed_with_its_default(settings: type[BaseSettings]) -> None:
    rows = dict(re.findall(r"^\| `(PUNCTUAL_\w+)` \| ([^|]*) \|", PAGE, re.MULTILINE))
    expected = {name: shown_default(field) for name, field in variables(settings).items()}

    assert {name: rows.get(name, "not listed").strip() for name in expected} == expected


def test_no_variable_is_listed_that_nobody_reads() -> None:
    known = {name for settings in classes() for name in variables(settings)} | READ_BY_TESTS

    assert set(re.findall(r"^\| `(PUNCTUAL_\w+)`", PAGE, re.MULTILINE)) - known == set()


def test_every_variable_that_the_code_names_is_listed() -> None:
    sources = [file for folder in ("punctual", "services", "shared") for file in (ROOT / folder).rglob("*.py")]
    named = {name for file in sources for name in _NAME.findall(file.read_text(encoding="utf-8"))}

    assert named >= {"PUNCTUAL_STAFF_KEY", "PUNCTUAL_PLAIN_HTTP", "PUNCTUAL_KAFKA_BOOTSTRAP"}
    assert named - set(re.findall(r"^\| `(PUNCTUAL_\w+)`", PAGE, re.MULTILINE)) == set()


def test_the_command_shows_what_the_commands_read_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables(CommandSettings):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(config, "services_found", list)  # each is asked in a process of its own
    monkeypatch.setenv("PUNCTUAL_STAFF_KEY", "a key nobody shows")
    monkeypatch.setenv("PUNCTUAL_INTAKE_URL", "https://intake.example")
    shown = CliRunner().invoke(make_app(["config", "doctor"]), ["config", "--json"])
    values = {row["variable"]: row["value"] for row in json.loads(shown.output)["the command line"]}

    assert values.keys() == variables(CommandSettings).keys()
    assert values["PUNCTUAL_INTAKE_URL"] == "https://intake.example"
    assert "a key nobody shows" not in shown.output


def shown_default(field: Any) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None:
        return ""
    if isinstance(default, Path):
        return f"`{default.relative_to(ROOT).as_posix()}`"
    return f"`{default}`"
