"""``punctual requests``: proof that the history of requests is what was written."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.staff.options import IntakeUrlOption, KeyOption

app = typer.Typer(
    help="Requests and the proof of their history.",
    no_args_is_help=True,
    epilog="Example: punctual requests verify",
)


@app.callback()
def _requests() -> None:
    """A group, so that more commands can follow."""


@app.command("verify", epilog="Example: punctual requests verify K7M4Q-2XD9C")
def verify(
    request: Annotated[str | None, typer.Argument(help="A reference; without it every request.", metavar="REF")] = None,
    url: IntakeUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that histories are what was written and lead to the stored state. Ends with 1 when one does not."""
    from punctual.staff.connection import connected

    with connected(url, key, "intake") as connection:
        if request is not None:
            one = connection.get(f"/v1/requests/{request}/verification")
            found = {
                "requests": 1,
                "entries": one["entries"],
                "unproved": one["unproved"],
                "problems": [one] if one["problems"] else [],
            }
        else:
            found = _verify_all(connection)
    if as_json:
        print_json(found)
    else:
        for verdict in found["problems"]:
            for problem in verdict["problems"]:
                typer.echo(f"{verdict['reference']}: {problem}")
        older = f", {found['unproved']} of them older than the chain" if found["unproved"] else ""
        typer.echo(
            f"{found['requests']} requests, {found['entries']} entries{older}, {len(found['problems'])} do not hold"
        )
    if found["problems"]:
        raise typer.Exit(1)


def _verify_all(connection: Any) -> dict[str, Any]:
    total: dict[str, Any] = {"requests": 0, "entries": 0, "unproved": 0, "problems": []}
    after: str | None = None
    while True:
        page = connection.get("/v1/verification", limit=500, after=after)
        for name in total:
            total[name] += page[name]
        after = page["next"]
        if after is None:
            return total
        typer.echo(f"{total['requests']} requests so far", err=True)
