"""``punctual process``: the stages of each kind of request, as a file to check, compare, put in force and draw."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.staff.options import IntakeUrlOption, KeyOption, read_text
from shared.rules.plain_yaml import UnreadableYaml, read_plain_yaml

app = typer.Typer(
    help="Process definitions: stages, control points, outcomes, reasons.",
    no_args_is_help=True,
    epilog="Example: punctual process show claim_motor",
)

FileArgument = Annotated[Path, typer.Argument(help="A process definition.", metavar="FILE")]
FilesArgument = Annotated[list[Path], typer.Argument(help="Process definitions, one or more.", metavar="FILE")]
CodeArgument = Annotated[str, typer.Argument(help="Its name, such as claim_motor.", metavar="PROCESS")]


class Diagram(StrEnum):
    SVG = "svg"
    MERMAID = "mermaid"


@app.command("lint", epilog="Example: punctual process lint claim_motor.yml claim_travel.yml")
def lint(files: FilesArgument, as_json: JsonOption = False) -> None:
    """Check definitions: errors with line and field, and what may not be meant. Ends with 1 when there are errors."""
    from punctual.staff.linting import lint_processes

    found = lint_processes(files)
    if as_json:
        print_json(found)
    else:
        for error in found["errors"]:
            typer.echo(f"{error['file']}, line {error['line']}, {error['field']}: {error['message']}")
        for remark in found["remarks"]:
            where = f"{remark['file']}, line {remark['line']}, {remark['where']}"
            typer.echo(f"{where}: remark: {remark['message']}")
        if not found["errors"] and not found["remarks"]:
            typer.echo("Nothing is wrong or odd.")
    if found["errors"]:
        raise typer.Exit(1)


@app.command("show", epilog="Example: punctual process show claim_motor --diagram mermaid")
def show(
    process: Annotated[str | None, typer.Argument(help="Its name; without it all in force are listed.")] = None,
    version: Annotated[int | None, typer.Option(help="Which one; without it the one in force.", min=1)] = None,
    diagram: Annotated[Diagram | None, typer.Option(help="Draw it instead.")] = None,
    url: IntakeUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a definition as it was written, or draw it, or list what is in force."""
    from punctual.staff.connection import connected

    with connected(url, key, "intake") as connection:
        if process is None:
            _list(connection.get("/v1/processes"), as_json=as_json)
        elif diagram is not None:
            ending = "svg" if diagram is Diagram.SVG else "mmd"
            typer.echo(connection.text(f"/v1/processes/{process}/diagram.{ending}", version=version), nl=False)
        else:
            found = connection.get(f"/v1/processes/{process}", version=version)
            print_json(found) if as_json else typer.echo(found["source"], nl=False)


@app.command("diff", epilog="Example: punctual process diff claim_motor.yml")
def diff(file: FileArgument, url: IntakeUrlOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Show what a file would change of the definition in force."""
    from punctual.staff.connection import connected

    with connected(url, key, "intake") as connection:
        found = connection.post_text("/v1/processes:diff", read_text(file))
    if as_json:
        print_json(found)
        return
    for line in found["differences"] or ["Nothing is different."]:
        typer.echo(line)


@app.command("apply", epilog='Example: punctual process apply claim_motor.yml --reason "a survey"')
def apply(
    file: FileArgument,
    reason: Annotated[str, typer.Option(help="Why, in a few words; kept with the version.")],
    url: IntakeUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a definition in force for requests that come from now on. Those under way keep their version."""
    from punctual.staff.connection import connected

    text = read_text(file)
    process = _name_in(text)
    with connected(url, key, "intake") as connection:
        found = connection.put(f"/v1/processes/{process}", text, reason=reason)
    if as_json:
        print_json(found)
    elif found["new"]:
        typer.echo(f"Version {found['version']} of {process} is in force.")
    else:
        typer.echo(f"Nothing is new: this text is version {found['version']} of {process}.")


@app.command("history", epilog="Example: punctual process history claim_motor")
def history(
    process: CodeArgument,
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1)] = 20,
    url: IntakeUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions that were in force, who put them there and why."""
    from rich.table import Table

    from punctual.staff.connection import connected
    from punctual.staff.screen import screen
    from punctual.staff.words import instant

    with connected(url, key, "intake") as connection:
        versions = connection.pages(f"/v1/processes/{process}/versions", limit)
    if as_json:
        print_json(versions)
        return
    table = Table("version", "since (UTC)", "from", "author", "reason")
    for version in versions:
        since = instant(version["applied_at"])
        table.add_row(str(version["version"]), since, version["origin"], version["author"], version["reason"] or "-")
    screen().print(table)


def _name_in(text: str) -> str:
    """The name that a definition gives itself; what else is wrong with it, the service says."""
    try:
        _, document = read_plain_yaml(text)
    except UnreadableYaml:
        document = None
    return str(document.get("process", "unnamed")) if isinstance(document, dict) else "unnamed"


def _list(processes: list[dict[str, object]], *, as_json: bool) -> None:
    from rich.table import Table

    from punctual.staff.screen import screen

    if as_json:
        print_json(processes)
        return
    table = Table("process", "version", "kind", "product lines", "stages")
    for found in processes:
        lines, stages = found["product_lines"], found["stages"]
        assert isinstance(lines, list)
        assert isinstance(stages, list)
        table.add_row(
            str(found["process"]),
            str(found["version"]),
            str(found["kind"]),
            ", ".join(lines) or "all others",
            ", ".join(stages),
        )
    screen().print(table)
