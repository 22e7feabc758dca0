"""``punctual policy``: check, compare, preview and put in force what customers are promised."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.staff.options import KeyOption, UrlOption, read_text

if TYPE_CHECKING:
    from punctual.staff.connection import StaffConnection

_PROBLEMS = 1

app = typer.Typer(
    no_args_is_help=True,
    help="What customers are promised: check it, see what would change, put it in force.",
    epilog="Example: punctual policy diff policies.yml",
)

FileArgument = Annotated[Path, typer.Argument(help="The whole of policies.yml.", metavar="FILE")]
CalendarsOption = Annotated[
    Path | None, typer.Option("--calendars", help="The calendars they refer to.", metavar="FILE")
]
FromOption = Annotated[
    str | None,
    typer.Option("--history-from", help="Also tell what would have become of requests since then.", metavar="INSTANT"),
]
ToOption = Annotated[str | None, typer.Option("--history-to", help="Up to then; now.", metavar="INSTANT")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in a few words; kept with the version.")]
RunningOption = Annotated[
    bool, typer.Option("--running", help="Let clocks that run follow, too; without it they keep their rules.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not show what would change, and do not ask.")]


@app.command("lint", epilog="Example: punctual policy lint policies.yml --calendars calendars.yml")
def lint(file: FileArgument, calendars: CalendarsOption = None, as_json: JsonOption = False) -> None:
    """Check a file without any server. Ends with 1 when it cannot be used."""
    from punctual.staff.linting import lint_files

    found = lint_files(file, calendars)
    if as_json:
        print_json(found)
    else:
        for error in found["errors"]:
            typer.echo(f"error: {error['file']}, line {error['line']}, {error['field']}: {error['message']}")
        for remark in found["remarks"]:
            typer.echo(f"remark: {remark['file']}, line {remark['line']}, {remark['policy']}: {remark['message']}")
        if not found["errors"]:
            typer.echo(f"{file} can be used.")
    if found["errors"]:
        raise typer.Exit(_PROBLEMS)


@app.command("diff", epilog="Example: punctual policy diff policies.yml --history-from 2026-05-01T00:00Z")
def diff(
    file: FileArgument,
    calendars: CalendarsOption = None,
    history_from: FromOption = None,
    history_to: ToOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is different from what is in force, which deadlines would move, and what would have been kept."""
    from punctual.staff.changing import draft_of, tell_preview
    from punctual.staff.connection import connected

    draft = draft_of(policies=file, calendars=calendars, history_from=history_from, history_to=history_to)
    with connected(url, key) as connection:
        tell_preview(connection, draft, as_json=as_json)


@app.command("apply", epilog='Example: punctual policy apply policies.yml --reason "shorter answers" --running')
def apply(
    file: FileArgument,
    reason: ReasonOption,
    running: RunningOption = False,
    yes: YesOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put policies in force. What would change is shown first, and you are asked."""
    from punctual.staff.changing import put_in_force, tell_version
    from punctual.staff.connection import connected

    with connected(url, key) as connection:
        shown = put_in_force(connection, "policies", read_text(file), reason, is_running=running, is_sure=yes)
    tell_version(shown, as_json=as_json)


@app.command("history", epilog="Example: punctual policy history")
def history(
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1)] = 20,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions that were in force, who put them there and why."""
    from rich.table import Table

    from punctual.staff.connection import connected
    from punctual.staff.screen import screen
    from punctual.staff.words import instant

    with connected(url, key) as connection:
        versions = connection.pages("/v1/policies/versions", limit)
    if as_json:
        print_json(versions)
        return
    table = Table("version", "since (UTC)", "from", "author", "reason")
    for version in versions:
        since = instant(version["loaded_at"])
        table.add_row(str(version["version"]), since, version["origin"], version["author"], version["reason"] or "-")
    screen().print(table)


@app.command("show", epilog="Example: punctual policy show 3 --against 2")
def show(
    version: Annotated[int | None, typer.Argument(help="Which one; without it the one in force.", min=1)] = None,
    against: Annotated[
        int | None, typer.Option(help="Show only what is different from this version.", metavar="VERSION", min=1)
    ] = None,
    calendars: Annotated[bool, typer.Option("--calendars", help="Print the calendars instead.")] = False,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a version's policies, or what is different between two versions."""
    from punctual.staff.connection import connected

    with connected(url, key) as connection:
        shown = connection.get("/v1/policies" if version is None else f"/v1/policies/versions/{version}")
        found = _differences(connection, against, shown["version"]) if against is not None else None
    if as_json:
        print_json(shown if found is None else found)
    elif found is None:
        typer.echo(shown["calendars_source" if calendars else "source"], nl=False)
    else:
        for line in found["differences"] or ["Nothing is different."]:
            typer.echo(line)


@app.command("explain", epilog="Example: punctual policy explain K7M4Q-2XD9C")
def explain(
    request: Annotated[str, typer.Argument(help="A reference, or the id of a request.", metavar="REF")],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell which policy a request got and why, condition by condition."""
    from punctual.staff.connection import connected
    from punctual.staff.explanation import choice_trees
    from punctual.staff.screen import screen

    with connected(url, key) as connection:
        answer = connection.get(f"/v1/clocks/{request}/policy")
    if as_json:
        print_json(answer)
    else:
        screen().print(choice_trees(answer))


def _differences(connection: StaffConnection, before: int, after: int) -> dict[str, Any]:
    found: dict[str, Any] = connection.get(f"/v1/policies/versions/{before}/differences", to=after)
    return found
