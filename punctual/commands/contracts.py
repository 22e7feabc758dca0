"""``punctual contracts``: keep the committed schemas, the AsyncAPI and the OpenAPI documents in step with the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.local.settings import CHECKOUT
from punctual.staff.describing import DESCRIBED, describe_api
from shared.contracts.compatibility import refusals
from shared.contracts.documents import asyncapi_document, payload_schemas

Folder = Annotated[Path, typer.Option("--to", help="Folder of the documents.", show_default="docs/api of the checkout")]

_DOCUMENTS = CHECKOUT / "docs" / "api"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    contracts = typer.Typer(
        help="The schemas of all events, the AsyncAPI document, the OpenAPI documents.",
        no_args_is_help=True,
        epilog="Example: punctual contracts check",
    )
    contracts.command("write", epilog="Example: punctual contracts write")(write)
    contracts.command("check", epilog="Example: punctual contracts check --json")(check)
    app.add_typer(contracts, name="contracts")


def write(folder: Folder = _DOCUMENTS, as_json: JsonOption = False) -> None:
    """Write the documents. Refuses a change of a committed schema that is not additive: raise the version instead."""
    against = refusals(committed_schemas(folder), payload_schemas())
    if against:
        _report(as_json, refused=list(against))
        raise typer.Exit(1)
    wanted = generated_files()
    for name in out_of_step(folder, wanted):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(wanted[name], encoding="utf-8")
    _report(as_json, documents=list(wanted))


def check(folder: Folder = _DOCUMENTS, as_json: JsonOption = False) -> None:
    """Fail when a committed document differs from what the code says, or a change is not additive."""
    against = refusals(committed_schemas(folder), payload_schemas())
    wanted = generated_files()
    stale = out_of_step(folder, wanted)
    _report(as_json, documents=list(wanted), refused=list(against), stale=stale)
    if against or stale:
        raise typer.Exit(1)


def generated_files() -> dict[str, str]:
    """Path below the folder to text."""
    schemas = {f"schemas/{event_type}.json": _text(schema) for event_type, schema in payload_schemas().items()}
    apis = {f"openapi-{service}.json": _text(describe_api(service)) for service in DESCRIBED}
    return {**schemas, "asyncapi.json": _text(asyncapi_document()), **apis}


def committed_schemas(folder: Path) -> dict[str, dict[str, Any]]:
    """Type with version to the schema in the folder."""
    return {
        path.name.removesuffix(".json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((folder / "schemas").glob("*.v*.json"))
    }


def out_of_step(folder: Path, wanted: dict[str, str]) -> list[str]:
    """The documents that are missing in the folder or say something else."""
    return [
        name
        for name, text in wanted.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _report(as_json: bool, **lists: list[str]) -> None:
    if as_json:
        print_json(lists)
        return
    for line in lists.get("refused", []):
        typer.echo(f"not additive, raise VERSION: {line}", err=True)
    for name in lists.get("stale", []):
        typer.echo(f"out of step, run 'punctual contracts write': {name}", err=True)
    if not lists.get("refused") and not lists.get("stale"):
        typer.echo(f"{len(lists['documents'])} documents are in step.")
