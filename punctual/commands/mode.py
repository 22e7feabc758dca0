"""``punctual mode``: peak and emergency, entered and left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.staff.options import KeyOption, UrlOption
from shared.errors import PunctualError

app = typer.Typer(
    no_args_is_help=True,
    help="Modes of the house, in which policies may count other budgets.",
    epilog='Example: punctual mode enter peak --reason "typhoon" --until 2026-09-12T18:00+08:00',
)

ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in a few words.")]


@app.command("enter", epilog='Example: punctual mode enter peak --reason "typhoon" --market HK')
def enter(
    mode: Annotated[str, typer.Argument(help="peak or emergency.", metavar="MODE")],
    reason: ReasonOption,
    market: Annotated[
        list[str] | None, typer.Option("--market", help="Only there, repeatable; without it everywhere.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="When it ends by itself; without it somebody leaves it.", metavar="INSTANT")
    ] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a mode in force from now on. Clocks that run are told, where their policy says that modes move them."""
    from punctual.staff.connection import connected

    body = {"reason": reason, "markets": market or [], "until_at": until}
    with connected(url, key) as connection:
        entered = connection.post(f"/v1/modes/{mode}:enter", body)
    if as_json:
        print_json(entered)
    else:
        typer.echo(f"{mode} is in force{_where(entered)}; leave it with:")
        typer.echo(f"  punctual mode leave {entered['activation_id']} --reason WHY")


@app.command("leave", epilog='Example: punctual mode leave peak --reason "over"')
def leave(
    mode: Annotated[str, typer.Argument(help="The mode, or the id of one of its activations.", metavar="MODE")],
    reason: ReasonOption,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a mode from now on: the activation that is named, or all of a mode."""
    from punctual.staff.connection import connected

    with connected(url, key) as connection:
        ids = _in_force(connection.get("/v1/modes"), mode)
        left = [connection.post(f"/v1/modes/{activation_id}:leave", {"reason": reason}) for activation_id in ids]
    if as_json:
        print_json(left)
    else:
        for activation in left:
            typer.echo(f"{activation['mode']} was left{_where(activation)}.")


@app.command("show", epilog="Example: punctual mode show")
def show(url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Show which mode is in force where, and what was declared lately."""
    from rich.table import Column, Table

    from punctual.staff.connection import connected
    from punctual.staff.screen import screen
    from punctual.staff.words import instant

    with connected(url, key) as connection:
        answer = connection.get("/v1/modes")
    if as_json:
        print_json(answer)
        return
    typer.echo("   ".join(f"{market}: {mode}" for market, mode in answer["in_force"].items()))
    if not answer["declared"]:
        return
    whole = Column("id", no_wrap=True, min_width=36)  # leaving the mode takes all of it
    table = Table("mode", "where", "entered (UTC)", "ends (UTC)", "left (UTC)", "by", "reason", whole)
    for activation in answer["declared"]:
        table.add_row(
            activation["mode"],
            ", ".join(activation["markets"]) or "everywhere",
            instant(activation["entered_at"]),
            instant(activation["until_at"]),
            instant(activation["left_at"]),
            activation["author"],
            activation["reason"],
            activation["activation_id"],
        )
    screen().print(table)


def _in_force(answer: Mapping[str, Any], mode: str) -> list[str]:
    ids = [
        activation["activation_id"]
        for activation in answer["declared"]
        if activation["left_at"] is None and mode in (activation["mode"], activation["activation_id"])
    ]
    if not ids:
        raise PunctualError(f"{mode} is not in force")
    return ids


def _where(activation: Mapping[str, Any]) -> str:
    return f" in {', '.join(activation['markets'])}" if activation["markets"] else ""
