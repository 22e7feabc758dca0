"""``punctual contracts``: what it writes, refuses and reports."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from punctual.commands import contracts

app = typer.Typer()
contracts.register(app)
app.callback()(lambda: None)

SCHEMA = "schemas/punctual.request.closed.v1.json"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["contracts", *arguments])
    return result.exit_code, result.output


def test_written_documents_pass_the_check(tmp_path: Path) -> None:
    assert run("write", "--to", str(tmp_path))[0] == 0
    assert run("check", "--to", str(tmp_path))[0] == 0


def test_a_missing_document_fails_the_check_and_is_named(tmp_path: Path) -> None:
    run("write", "--to", str(tmp_path))
    (tmp_path / SCHEMA).unlink()

    code, output = run("check", "--to", str(tmp_path), "--json")

    assert code == 1
    assert json.loads(output)["stale"] == [SCHEMA]
    assert json.loads(output)["refused"] == []


def test_a_change_that_is_not_additive_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    run("write", "--to", str(tmp_path))
    committed = json.loads((tmp_path / SCHEMA).read_text())
    committed["properties"]["verdict"] = {"type": "string"}
    (tmp_path / SCHEMA).write_text(json.dumps(committed))
    before = (tmp_path / SCHEMA).read_text()

    code, output = run("write", "--to", str(tmp_path))

    assert code == 1
    assert "verdict: removed" in output
    assert (tmp_path / SCHEMA).read_text() == before


def test_help_shows_an_example() -> None:
    for command in ("write", "check"):
        assert f"punctual contracts {command}" in run(command, "--help")[1]
