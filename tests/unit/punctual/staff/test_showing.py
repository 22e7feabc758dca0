"""What the commands for people print."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from punctual.cli import make_app
from punctual.staff.preview import preview_tables
from punctual.staff.words import instant, share, span

SHIPPED = Path(__file__).parents[4] / "services/sla_timer/data/policies.yml"
SHIPPED_RULES = SHIPPED.parents[2] / "intake/data/validation.yml"
NOTHING = {"earlier": 0, "later": 0, "standing": 0, "started": 0, "cancelled": 0, "breached_at_once": 0}


def drawn(part: RenderableType) -> str:
    console = Console(file=StringIO(), width=160, force_terminal=False)
    console.print(part)
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (45, "45s"), (5400, "1h30m"), (93600, "26h"), (-60, "-1m"), (None, "-")]
)
def test_a_span_is_written_in_hours(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


def test_instants_are_utc_and_shares_say_of_how_many() -> None:
    assert instant("2026-06-01T09:00:00+08:00") == "Mon 2026-06-01 01:00:00"
    assert (instant(None), share(39, 1), share(0, 0)) == ("-", "97.5% of 40", "-")


def test_a_preview_of_nothing_says_so() -> None:
    running = {"requests": 7, "affected": 0, **NOTHING, "by_promise": [], "listed": []}
    text = drawn(preview_tables({"differences": [], "running": running, "history": None}))
    assert "Nothing is different from what is in force." in text
    assert "0 of 7 requests would change" in text


def test_a_preview_shows_counts_clocks_and_history() -> None:
    row = {**NOTHING, "earlier": 2, "breached_at_once": 1}
    change = {
        "reference": "K7M4Q-2XD9C",
        "objective": "response",
        "cycle": 2,
        "kind": "earlier",
        "from_at": "2026-06-01T09:00:00+00:00",
        "to_at": "2026-06-01T06:00:00+00:00",
        "is_breached_at_once": True,
    }
    attained = {"before": {"kept": 3, "missed": 1}, "after": {"kept": 2, "missed": 2}}
    text = drawn(
        preview_tables(
            {
                "differences": ["policy claim, response: budget 8h working becomes 6h working"],
                "running": {
                    "requests": 7,
                    "affected": 2,
                    **row,
                    "by_promise": [{"policy": "claim", "objective": "response", **row}],
                    "listed": [change],
                },
                "history": {
                    "requests": 4,
                    "by_kind": [{"request_kind": "claim", "objective": "response", **attained}],
                },
            }
        )
    )
    for shown in ("becomes 6h working", "response 2", "breached at once", "75.0% of 4", "50.0% of 4"):
        assert shown in text


def test_files_are_checked_without_a_server(tmp_path: Path) -> None:
    run = CliRunner()
    app = make_app(["policy"])
    good = run.invoke(app, ["policy", "lint", str(SHIPPED), "--json"])
    assert (good.exit_code, json.loads(good.output)["errors"]) == (0, [])
    broken = tmp_path / "policies.yml"
    broken.write_text(SHIPPED.read_text(encoding="utf-8").replace("budget: 2h elapsed", "budget: soon"))
    bad = run.invoke(app, ["policy", "lint", str(broken)])
    assert bad.exit_code == 1
    assert f"error: {broken}, line " in bad.output
    missing = run.invoke(app, ["policy", "lint", str(tmp_path / "nothing.yml")])
    assert "No such file" in str(missing.exception)


def test_rules_of_validation_are_checked_without_a_server(tmp_path: Path) -> None:
    run = CliRunner()
    app = make_app(["validation"])
    good = run.invoke(app, ["validation", "lint", str(SHIPPED_RULES)])
    assert (good.exit_code, good.output) == (0, "Nothing is wrong or odd.\n")
    broken = tmp_path / "validation.yml"
    broken.write_text(SHIPPED_RULES.read_text(encoding="utf-8").replace("severity: doubt", "severity: panic", 1))
    bad = run.invoke(app, ["validation", "lint", str(broken)])
    assert bad.exit_code == 1
    assert "'panic' is not one of refuse, doubt" in bad.output
    missing = run.invoke(app, ["validation", "lint", str(tmp_path / "nothing.yml")])
    assert "No such file" in str(missing.exception)
