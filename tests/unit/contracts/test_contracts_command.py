"""``punctual contracts``: what it writes, refuses and reports."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from punctual.commands import contracts

app = typer.Typer()
contracts.register(app)
app.callback()(lambda: None)

COMMITTED = Path(__file__).parents[3] / "docs" / "api"
SCHEMA = "schemas/punctual.request.closed.v1.json"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["contracts", *arguments])
    return result.exit_code, result.output


def test_written_documents_pass_the_check(tmp_path: Path) -> None:
    assert run("write", "--to", str(tmp_path))[0] == 0
    assert run("check", "--to", str(tmp_path))[0] == 0


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """A copy of the documents in this checkout."""
    return shutil.copytree(COMMITTED, tmp_path / "api")


def test_a_missing_document_fails_the_check_and_is_named(committed: Path) -> None:
    (committed / SCHEMA).unlink()

    code, output = run("check", "--to", str(committed), "--json")

    assert code == 1
    assert json.loads(output)["stale"] == [SCHEMA]
    assert json.loads(output)["refused"] == []


def test_a_change_that_is_not_additive_is_refused_and_nothing_is_written(committed: Path) -> None:
    schema = json.loads((committed / SCHEMA).read_text())
    schema["properties"]["verdict"] = {"type": "string"}
    (committed / SCHEMA).write_text(json.dumps(schema))
    before = (committed / SCHEMA).read_text()

    code, output = run("write", "--to", str(committed))

    assert code == 1
    assert "verdict: removed" in output
    assert (committed / SCHEMA).read_text() == before


def test_help_shows_an_example() -> None:
    for command in ("write", "check"):
        assert f"punctual contracts {command}" in run(command, "--help")[1]
