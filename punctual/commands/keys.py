"""``punctual keys``: API keys of channel systems and programs, for administrators."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.staff.options import IntakeUrlOption, KeyOption

app = typer.Typer(
    help="API keys of channel systems and programs.",
    no_args_is_help=True,
    epilog="Example: punctual keys list",
)

PrefixArgument = Annotated[str, typer.Argument(help="The part of the key after pk_; or the key.", metavar="PREFIX")]


class KeyRole(StrEnum):
    CHANNEL = "channel"
    STAFF = "staff"


@app.command("create", epilog="Example: punctual keys create branch --scope submit --scope read")
def create(
    name: Annotated[str, typer.Argument(help="Of the channel, or of the program.", metavar="NAME")],
    scope: Annotated[list[str], typer.Option(help="What it may be used for; repeatable.")],
    role: Annotated[KeyRole, typer.Option(help="A channel sees its own; staff administers.")] = KeyRole.CHANNEL,
    expires_at: Annotated[
        str | None, typer.Option(help="Until when, real time; without it until it is revoked.", metavar="INSTANT")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Calls a second; else the house's setting.")] = None,
    burst: Annotated[int | None, typer.Option(help="Calls at once; goes with --rate.")] = None,
    url: IntakeUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it. It can be read here only."""
    body = {
        "name": name,
        "role": role.value,
        "scopes": scope,
        "expires_at": expires_at,
        "rate_per_second": rate,
        "burst": burst,
    }
    _tell_new(_write("/v1/keys", body, url, key), as_json=as_json)


@app.command("list", epilog="Example: punctual keys list --name branch")
def list_(
    name: Annotated[str | None, typer.Option(help="Only keys of this name.")] = None,
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1)] = 50,
    url: IntakeUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List keys, without their secrets."""
    from rich.table import Table

    from punctual.staff.connection import connected
    from punctual.staff.screen import screen
    from punctual.staff.words import instant

    with connected(url, key, "intake") as connection:
        found = connection.pages("/v1/keys", limit, name=name)
    if as_json:
        print_json(found)
        return
    table = Table("prefix", "name", "role", "scopes", "state", "created (UTC)", "by", "expires (UTC)", "last use (UTC)")
    for one in found:
        table.add_row(
            one["prefix"],
            one["name"],
            one["role"],
            " ".join(one["scopes"]),
            one["state"],
            instant(one["created_at"]),
            one["created_by"],
            instant(one["expires_at"]),
            instant(one["last_used_at"]),
        )
    screen().print(table)


@app.command("rotate", epilog="Example: punctual keys rotate K7M4Q2XD --overlap-days 2")
def rotate(
    prefix: PrefixArgument,
    overlap_days: Annotated[float, typer.Option(help="How long the old key goes on working.", min=0, max=90)] = 7,
    url: IntakeUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the key that follows another and print it. Both work until the overlap is over."""
    body = {"overlap_seconds": int(timedelta(days=overlap_days).total_seconds())}
    _tell_new(_write(f"/v1/keys/{_prefix(prefix)}:rotate", body, url, key), as_json=as_json)


@app.command("revoke", epilog="Example: punctual keys revoke K7M4Q2XD")
def revoke(
    prefix: PrefixArgument, url: IntakeUrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """End a key at once."""
    revoked = _write(f"/v1/keys/{_prefix(prefix)}:revoke", {}, url, key)
    if as_json:
        print_json(revoked)
    else:
        typer.echo(f"The key {revoked['prefix']} of {revoked['name']} was revoked.")


def _prefix(text: str) -> str:
    """Whoever has the key at hand may give it; only its prefix goes anywhere."""
    return text.split("_")[1] if text.startswith("pk_") else text


def _write(path: str, body: dict[str, Any], url: str | None, key: str | None) -> dict[str, Any]:
    from punctual.staff.connection import connected

    with connected(url, key, "intake") as connection:
        answer: dict[str, Any] = connection.write(path, body)
    return answer


def _tell_new(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    typer.echo(made["key"])
    typer.echo(f"This is the key of {made['name']}. It is shown this once; keep it where secrets are kept.", err=True)
