"""``punctual config``: every setting of every program, with its value and default."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.local.settings import CHECKOUT, LocalSettings
from punctual.staff.settings import CommandSettings
from shared.settings import PlatformSettings, describe, load_settings

Rows = list[dict[str, Any]]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("config", epilog="Example: punctual config --json")(config)


def config(as_json: JsonOption = False) -> None:
    """List the environment variables that this machine's programs read. Secrets are masked."""
    platform = describe(load_settings(PlatformSettings))
    shared = {row["variable"] for row in platform}
    sections: dict[str, Rows | str] = {
        "every service": platform,
        "the command line": describe(load_settings(CommandSettings)),
        "local system (up, demo, tests)": describe(load_settings(LocalSettings)),
    }
    services = services_found()
    with ThreadPoolExecutor() as pool:
        for service, found in zip(services, pool.map(_settings_of, services), strict=True):
            own = found if isinstance(found, str) else [row for row in found if row["variable"] not in shared]
            sections[service] = own
    if as_json:
        print_json(sections)
    else:
        _print(sections)
    if any(isinstance(rows, str) for rows in sections.values()):
        raise typer.Exit(1)


def services_found() -> list[str]:
    """The services that this checkout or installation has."""
    return sorted(path.parent.name for path in (CHECKOUT / "services").glob("*/__main__.py"))


def _settings_of(service: str) -> Rows | str:
    """What a service says about itself, or what it complains about."""
    command = [sys.executable, "-m", f"services.{service}", "--config", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_with_required(service))
    if done.returncode != 0:
        return done.stderr.strip() or f"ended with code {done.returncode}"
    rows: Rows = json.loads(done.stdout)
    for row in rows:
        if os.environ.get(row["variable"]) is None and row["default"] == "(required)":
            row["value"] = "(not set)"
    return rows


def _with_required(service: str) -> Mapping[str, str]:
    """Values for what has no default, so that the list can be shown before anything is set."""
    prefix = f"PUNCTUAL_{service.upper()}"
    stand_ins = {
        f"{prefix}_DATABASE_URL": "postgresql://unset@unset/unset",
        f"{prefix}_HTTP_PORT": "1",
        f"{prefix}_SAMPLING_SECRET": "unset" * 8,
        f"{prefix}_SIGNATURE_SECRET": "unset" * 8,
    }
    return {**stand_ins, **os.environ}


def _print(sections: Mapping[str, Rows | str]) -> None:
    for title, rows in sections.items():
        typer.secho(title, bold=True)
        if isinstance(rows, str):
            typer.echo(f"  {rows}")
            continue
        for row in rows:
            typer.echo(f"  {row['variable']}={row['value']}")
            typer.echo(f"      {row['meaning']}. Default: {row['default']}")
        typer.echo()
