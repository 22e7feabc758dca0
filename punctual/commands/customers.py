"""``punctual customers``: what is held on a customer, and its end. For administrators and auditors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.local.folders import readable_errors, write_whole
from punctual.staff.options import IntakeUrlOption, KeyOption, NotifierUrlOption

app = typer.Typer(
    help="What is held on a customer, and its erasure.",
    no_args_is_help=True,
    epilog="Example: punctual customers find app C-20871",
)

IdArgument = Annotated[str, typer.Argument(help="Our id of the customer, as `find` tells it.", metavar="CUSTOMER_ID")]


@app.command("find", epilog="Example: punctual customers find app C-20871")
def find(
    channel: Annotated[str, typer.Argument(help="Whose customer.", metavar="CHANNEL")],
    external_id: Annotated[str, typer.Argument(help="The channel's id of the customer.", metavar="ID")],
    url: IntakeUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find a customer by the id that a channel knows them by. Shows nothing personal."""
    from punctual.staff.connection import connected

    with connected(url, key, "intake") as connection:
        found = connection.get("/v1/customers", channel=channel, external_id=external_id)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['customer_id']}  {found['requests']} requests, market {found['market']}")


@app.command("export", epilog="Example: punctual customers export 01a21637-... --output export.json")
def export(
    customer_id: IdArgument,
    output: Annotated[
        Path | None, typer.Option(help="File to write, for your eyes only; else standard output.")
    ] = None,
    url: IntakeUrlOption = None,
    notifier_url: NotifierUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Everything that is held on a customer, as JSON: contact, requests, texts, mails, and who read it. Is noted."""
    from punctual.staff.connection import connected

    with connected(url, key, "intake") as connection:
        held = {"intake": connection.get(f"/v1/customers/{customer_id}/export")}
    with connected(notifier_url, key, "notifier") as connection:
        held["notifier"] = connection.get(f"/v1/customers/{customer_id}/messages")
    if output is None:
        print_json(held)
        return
    with readable_errors():
        write_whole(output, json.dumps(held, ensure_ascii=False, indent=1) + "\n", mode=0o600)
    if as_json:
        print_json({"output": str(output)})
    else:
        typer.echo(f"Wrote {output}; it holds personal data.")


@app.command("erase", epilog='Example: punctual customers erase 01a21637-... --reason "letter of 3 March, file 118"')
def erase(
    customer_id: IdArgument,
    reason: Annotated[str, typer.Option(help="Why, without personal data; it is kept for good.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    url: IntakeUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Destroy what is held on a customer. Their requests must be over. Cannot be undone."""
    from punctual.staff.connection import connected

    if not yes:
        typer.confirm(f"Destroy everything personal that is held on customer {customer_id}?", abort=True, err=True)
    with connected(url, key, "intake") as connection:
        _tell(connection.write(f"/v1/customers/{customer_id}:erase", {"reason": reason}), as_json=as_json)


@app.command("erasure", epilog="Example: punctual customers erasure 01a21637-...")
def erasure(
    customer_id: IdArgument, url: IntakeUrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Prove that what was held on a customer is destroyed. Ends with 1 while it is not."""
    from punctual.staff.connection import connected

    with connected(url, key, "intake") as connection:
        found = connection.get(f"/v1/customers/{customer_id}/erasure")
    _tell(found, as_json=as_json)
    if not found["is_proved"]:
        raise typer.Exit(1)


def _tell(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    typer.echo(f"Erased {found['erased_at']} by {found['asked_by']}: {found['reason']}")
    for check in found["checks"]:
        typer.echo(f"  {'holds' if check['holds'] else 'OPEN '}  {check['detail']}")
