"""Every command says what it does, with an example."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from punctual.cli import COMMANDS, called, make_app
from punctual.commands.up import parse_instant
from shared.errors import ConfigurationError


def commands() -> list[tuple[str, ...]]:
    """All commands, those of groups too."""
    found: list[tuple[str, ...]] = []
    for name, command in vars(typer.main.get_command(make_app()))["commands"].items():
        inner = vars(command).get("commands")
        found += [(name, one) for one in inner] if inner else [(name,)]
    return found


def run(*arguments: str, home: Path | None = None) -> tuple[int, str]:
    environment = {"PUNCTUAL_HOME": str(home), "COLUMNS": "200"} if home else {"COLUMNS": "200"}
    result = CliRunner().invoke(make_app(called(arguments)), arguments, env=environment)
    return result.exit_code, result.output


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    code, text = run(*path, "--help")
    assert code == 0
    assert re.search(rf"Example: .*punctual {' '.join(path)}\b", " ".join(text.split()))


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_can_print_json(path: tuple[str, ...]) -> None:
    assert "--json" in run(*path, "--help")[1]


def test_the_overview_names_all_commands() -> None:
    code, text = run("--help")
    assert code == 0
    assert all(command in text for command in COMMANDS)


def test_only_the_command_that_is_called_is_loaded() -> None:
    assert called(["down", "--help"]) == ["down"]
    assert called(["--help"]) == COMMANDS
    assert called(["nonsense"]) == COMMANDS


def test_starting_the_program_loads_no_server_and_no_client_library() -> None:
    program = (
        "import sys; from punctual.cli import make_app; make_app(['down'])\n"
        "heavy = ('fastapi', 'aiokafka', 'asyncpg', 'jgo', 'requests', 'uvicorn')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_down_where_nothing_runs_says_so(tmp_path: Path) -> None:
    assert run("down", home=tmp_path) == (0, "Nothing was running.\n")


def test_forgetting_removes_data_and_logs_but_no_downloads(tmp_path: Path) -> None:
    for name in ("data", "logs", "parts", "replay/log-1/data", "replay/beginnings"):
        (tmp_path / name).mkdir(parents=True)
    code, text = run("down", "--forget", "--json", home=tmp_path)
    assert code == 0
    assert json.loads(text) == {"home": str(tmp_path), "did_run": False, "is_forgotten": True}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "parts"]


def test_migrating_without_an_address_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUNCTUAL_ADMIN_DATABASE_URL", raising=False)
    app = make_app(["migrate"])
    with pytest.raises(ConfigurationError, match="set PUNCTUAL_ADMIN_DATABASE_URL, or start the local system"):
        CliRunner().invoke(app, ["migrate"], env={"PUNCTUAL_HOME": str(tmp_path)}, catch_exceptions=False)


def test_an_unknown_service_is_refused(tmp_path: Path) -> None:
    code, text = run("up", "--service", "intakes", home=tmp_path)
    assert code == 2
    assert "there is no service intakes" in text


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-02T09:00+08:00", "2026-03-02T01:00:00+00:00"),
        ("2026-03-02T09:00", "2026-03-02T09:00:00+00:00"),
        ("2026-03-02", "2026-03-02T00:00:00+00:00"),
    ],
)
def test_an_instant_without_an_offset_is_utc(text: str, instant: str) -> None:
    assert parse_instant(text).isoformat() == instant


def test_what_is_no_instant_is_refused_with_an_example() -> None:
    with pytest.raises(ConfigurationError, match="'tomorrow' is no instant like 2026-03-02"):
        parse_instant("tomorrow")


def test_every_module_of_commands_is_reachable() -> None:
    folder = Path(inspect.getfile(make_app)).parent / "commands"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "options"}
    assert modules == set(COMMANDS)
    assert isinstance(make_app(), typer.Typer)


def test_a_replay_that_waits_for_no_instant_takes_no_speed(tmp_path: Path) -> None:
    code, text = run("replay", "log.csv", "--map", "helpdesk", "--at-once", "--speed", "60", home=tmp_path)
    assert code == 2
    assert "--at-once waits for no instant" in text
