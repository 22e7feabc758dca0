"""``punctual validation``: the rules by which requests are let in, doubted or refused, as a file to check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from punctual.commands.options import JsonOption, print_json

app = typer.Typer(
    help="Rules of validation: what is refused, what is doubted.",
    no_args_is_help=True,
    epilog="Example: punctual validation lint validation.yml",
)


@app.callback()
def _group() -> None:
    """Keep ``lint`` a command of its own though it is the only one."""


@app.command("lint", epilog="Example: punctual validation lint validation.yml")
def lint(
    file: Annotated[Path, typer.Argument(help="A validation.yml.", metavar="FILE")], as_json: JsonOption = False
) -> None:
    """Check the rules: errors with line and field, and what may not be meant. Ends with 1 when there are errors."""
    from punctual.staff.linting import lint_validation

    found = lint_validation(file)
    if as_json:
        print_json(found)
    else:
        for error in found["errors"]:
            typer.echo(f"{file}, line {error['line']}, {error['field']}: {error['message']}")
        for remark in found["remarks"]:
            typer.echo(f"{file}, line {remark['line']}, {remark['rule']}: remark: {remark['message']}")
        if not found["errors"] and not found["remarks"]:
            typer.echo("Nothing is wrong or odd.")
    if found["errors"]:
        raise typer.Exit(1)
