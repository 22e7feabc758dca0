"""``punctual clocks``: why a deadline is where it is, what is due next, whether what is stored is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.staff.options import KeyOption, UrlOption

_DIFFERENT = 1

app = typer.Typer(
    no_args_is_help=True,
    help="Deadlines: explain one, list what is due next, verify all of them.",
    epilog="Example: punctual clocks explain K7M4Q-2XD9C",
)


@app.command("explain", epilog="Example: punctual clocks explain K7M4Q-2XD9C")
def explain(
    request: Annotated[str, typer.Argument(help="A reference, or the id of a request.", metavar="REF")],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every deadline of a request: what was counted, what was left out, what moved it."""
    from punctual.staff.connection import connected
    from punctual.staff.explanation import explanation_tables
    from punctual.staff.screen import screen

    with connected(url, key) as connection:
        answer = connection.get(f"/v1/clocks/{request}/explanation")
    if as_json:
        print_json(answer)
    else:
        screen().print(explanation_tables(answer))


@app.command("due", epilog="Example: punctual clocks due --team claims_hk --before 2026-06-02T09:00+08:00")
def due(
    before: Annotated[str | None, typer.Option(help="Only deadlines before this.", metavar="INSTANT")] = None,
    team: Annotated[str | None, typer.Option(help="Only requests of this team.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only requests in this stage.")] = None,
    role: Annotated[str | None, typer.Option(help="Only promises of whose ladder this role is told.")] = None,
    state: Annotated[str | None, typer.Option(help="running, paused or breached.")] = None,
    objective: Annotated[str | None, typer.Option(help="Such as response.")] = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = 50,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is due next, the earliest first; what is overdue comes first of all."""
    from rich.table import Column, Table

    from punctual.staff.connection import connected
    from punctual.staff.screen import screen
    from punctual.staff.words import instant

    asked = {"due_before": before, "team": team, "stage": stage, "role": role, "state": state, "objective": objective}
    with connected(url, key) as connection:
        clocks = connection.pages("/v1/clocks", limit, **asked)
    if as_json:
        print_json(clocks)
        return
    # A narrow terminal may cut everything but what one types next.
    due_at, reference = Column("due (UTC)", no_wrap=True, min_width=23), Column("reference", no_wrap=True, min_width=11)
    table = Table(due_at, reference, "objective", "state", "stage", "team", "policy")
    for clock in clocks:
        table.add_row(
            instant(clock["due_at"]),
            clock["reference"],
            clock["objective"],
            clock["state"],
            clock["stage"] or "-",
            clock["team"] or "-",
            f"{clock['policy']} {clock['policy_version']}",
        )
    screen().print(table)


@app.command("verify", epilog="Example: punctual clocks verify")
def verify(url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Rebuild every clock from its history and compare it with what is stored. Ends with 1 when anything differs."""
    from punctual.staff.connection import connected
    from punctual.staff.streams import read_through

    differences: list[Mapping[str, Any]] = []

    def found(difference: Mapping[str, Any]) -> None:
        differences.append(difference)
        if not as_json:
            typer.echo(_difference(difference))

    with connected(url, key) as connection:
        result = read_through(connection.lines("/v1/clocks:verify", {}), found)
    if as_json:
        print_json({**result, "found": differences})
    else:
        requests, clocks = result["requests"], result["clocks"]
        typer.echo(f"{clocks} clocks of {requests} requests rebuilt, {result['differences']} differences.")
    if result["differences"]:
        raise typer.Exit(_DIFFERENT)


def _difference(difference: Mapping[str, Any]) -> str:
    if "reference" in difference:
        where = f"{difference['reference']} {difference['objective']} cycle {difference['cycle']}"
    else:
        where = f"partition {difference['partition']} {difference['objective']} {difference['state']}"
    return f"{where}, {difference['field']}: stored {difference['stored']}, rebuilt {difference['rebuilt']}"
