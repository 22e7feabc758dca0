"""The environment is made when it has to be, and complaints say how to mend things."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from punctual import bootstrap


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / name).write_text(name)
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "stamp.json")
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "file", "matters"),
    [
        ("run", "requirements.lock", True),
        ("run", "pyproject.toml", True),
        ("run", "requirements-dev.lock", False),
        ("dev", "requirements-dev.lock", True),
    ],
)
def test_the_environment_is_made_anew_when_what_it_is_made_of_changes(
    checkout: Path, kind: str, file: str, matters: bool
) -> None:
    before = bootstrap.digest(kind)
    (checkout / file).write_text("changed")
    assert (bootstrap.digest(kind) != before) == matters


@pytest.mark.usefixtures("checkout")
def test_a_complete_environment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap.STAMP.write_text(json.dumps({"run": bootstrap.digest("run")}))

    def fail(*_: Any) -> None:
        raise AssertionError("nothing was to be done")

    monkeypatch.setattr(bootstrap, "run", fail)
    assert bootstrap.main([]) == 0


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_broken_stamp_counts_as_none(text: str) -> None:
    bootstrap.STAMP.write_text(text)
    assert bootstrap.stamps() == {}


def test_an_old_python_is_told_which_one_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert "needs Python 3.11 or newer" in str(bootstrap.what_is_wrong_with_this_python())


def test_a_python_without_venv_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else sys)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    problem = str(bootstrap.what_is_wrong_with_this_python())
    assert "without ensurepip" in problem
    assert f"apt-get install python{version}-venv" in problem


def test_this_python_will_do() -> None:
    assert bootstrap.what_is_wrong_with_this_python() is None
