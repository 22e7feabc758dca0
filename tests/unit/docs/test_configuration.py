"""docs/configuration.md lists exactly the variables that the programs read, with their defaults."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from punctual.local.settings import LocalSettings
from shared.settings import PlatformSettings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/settings.py"))
READ_ELSEWHERE = {"PUNCTUAL_ADMIN_DATABASE_URL", "PUNCTUAL_TEST_ADMIN_URL", "PUNCTUAL_TEST_KAFKA"}


def classes() -> list[type[BaseSettings]]:
    services = [importlib.import_module(f"services.{service}.settings").Settings for service in SERVICES]
    return [PlatformSettings, LocalSettings, *services]


def variables(settings: type[BaseSettings]) -> dict[str, Any]:
    prefix = settings.model_config.get("env_prefix", "")
    return {f"{prefix}{name}".upper(): field for name, field in settings.model_fields.items() if name != "platform"}


@pytest.mark.parametrize("settings", classes(), ids=lambda settings: settings.model_config["env_prefix"])
def test_every_variable_is_listed_with_its_default(settings: type[BaseSettings]) -> None:
    rows = dict(re.findall(r"^\| `(PUNCTUAL_\w+)` \| ([^|]*) \|", PAGE, re.MULTILINE))
    expected = {name: shown_default(field) for name, field in variables(settings).items()}

    assert {name: rows.get(name, "not listed").strip() for name in expected} == expected


def test_no_variable_is_listed_that_nobody_reads() -> None:
    known = {name for settings in classes() for name in variables(settings)} | READ_ELSEWHERE

    assert set(re.findall(r"^\| `(PUNCTUAL_\w+)`", PAGE, re.MULTILINE)) - known == set()


def shown_default(field: Any) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None:
        return ""
    if isinstance(default, Path):
        return f"`{default.relative_to(ROOT).as_posix()}`"
    return f"`{default}`"
