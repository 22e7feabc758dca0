"""``punctual doctor``: what is there, what is missing, and how to mend it."""

from __future__ import annotations

from dataclasses import asdict

import typer

from punctual.commands.options import HomeOption, JsonOption, folders_of, print_json
from punctual.local.checks import findings
from punctual.local.settings import LocalSettings
from shared.settings import load_settings

_COLOURS = {"ok": "green", "note": "yellow", "missing": "red"}


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("doctor", epilog="Example: punctual doctor")(doctor)


def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Check what a local system needs. Exits 1 when something is missing that it cannot fetch by itself."""
    found = findings(folders_of(home), load_settings(LocalSettings))
    is_fine = all(finding.level != "missing" for finding in found)
    if as_json:
        print_json({"is_fine": is_fine, "findings": [asdict(finding) for finding in found]})
    else:
        for finding in found:
            typer.secho(f"{finding.level:<8}", fg=_COLOURS[finding.level], nl=False)
            typer.echo(f"{finding.subject:<10}{finding.found}")
            if finding.mend:
                typer.echo(f"{'':<18}-> {finding.mend}")
    if not is_fine:
        raise typer.Exit(1)
