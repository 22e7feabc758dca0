"""``punctual automation``: what the house does by itself, as a file to check, try on the past and put in force."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.staff.options import IntakeUrlOption, KeyOption, read_text

app = typer.Typer(
    help="Rules by which the house acts by itself.",
    no_args_is_help=True,
    epilog="Example: punctual automation try automation.yml --from 2026-05-01",
)

FileArgument = Annotated[Path, typer.Argument(help="The whole of automation.yml.", metavar="FILE")]


@app.command("lint", epilog="Example: punctual automation lint automation.yml")
def lint(file: FileArgument, as_json: JsonOption = False) -> None:
    """Check rules: errors with line and field, remarks. Ends with 1 when there are errors. No server is asked."""
    from punctual.staff.linting import lint_automation

    found = lint_automation(file)
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


@app.command("show", epilog="Example: punctual automation show")
def show(url: IntakeUrlOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Print the rules in force."""
    from punctual.staff.connection import connected

    with connected(url, key, "intake") as connection:
        found = connection.get("/v1/automation")
    print_json(found) if as_json else typer.echo(found["source"], nl=False)


@app.command("try", epilog="Example: punctual automation try automation.yml --from 2026-05-01 --to 2026-06-01")
def try_(
    file: Annotated[Path | None, typer.Argument(help="Rules; without it those in force.", metavar="FILE")] = None,
    since: Annotated[str, typer.Option("--from", help="Requests submitted from here on.")] = "2000-01-01",
    until: Annotated[str | None, typer.Option("--to", help="Up to here; without it all.")] = None,
    url: IntakeUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell how often each rule would have acted on past requests, on which, and whether people did the same."""
    from punctual.staff.connection import connected

    body: dict[str, Any] = {
        "source": None if file is None else read_text(file),
        "submitted_from": _instant(since),
        "submitted_to": "9999-01-01T00:00:00Z" if until is None else _instant(until),
        "limit": 500,
    }
    with connected(url, key, "intake") as connection:
        found = _try_all(connection, body)
    if as_json:
        print_json(found)
        return
    for rule in found["rules"]:
        compared = f", people ended {rule['agreed']} the same way and {rule['disagreed']} otherwise"
        ends = compared if rule["agreed"] + rule["disagreed"] else ""
        often = f", {rule['times']} times in all" if rule["times"] > rule["acted"] else ""
        left = f", held back {rule['held_back']}" if rule["held_back"] else ""
        acted = f"would have acted on {rule['acted']} of {found['requests']} requests"
        typer.echo(f"{rule['rule']}: {acted}{often}{left}{ends}")
        for each in rule["listed"]:
            held = ", held back" if each["held_back"] else ""
            typer.echo(f"  {each['reference']} after entry {each['sequence']}, {each['at']}{held}")


@app.command("apply", epilog='Example: punctual automation apply automation.yml --reason "tried on May"')
def apply(
    file: FileArgument,
    reason: Annotated[str, typer.Option(help="Why, in a few words; kept with the version.")],
    url: IntakeUrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put rules in force. Those that act look at a request when something happens to it, those that remind at all."""
    from punctual.staff.connection import connected

    with connected(url, key, "intake") as connection:
        found = connection.put("/v1/automation", read_text(file), reason=reason)
    if as_json:
        print_json(found)
    else:
        new = "is in force" if found["new"] else "was in force already"
        typer.echo(f"Version {found['version']} {new}.")


def _instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no date or instant such as 2026-05-01") from None
    return (instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)).isoformat()


def _try_all(connection: Any, body: dict[str, Any]) -> dict[str, Any]:
    total: dict[str, Any] = {"requests": 0, "rules": []}
    sums: defaultdict[str, dict[str, Any]] = defaultdict(
        lambda: {"acted": 0, "times": 0, "held_back": 0, "agreed": 0, "disagreed": 0, "listed": []}
    )
    after: str | None = None
    while True:
        page = connection.post("/v1/automation:try", {**body, "after": after})
        total["requests"] += page["requests"]
        for rule in page["rules"]:
            for name, value in rule.items():
                if name != "rule":
                    sums[rule["rule"]][name] += value
        after = page["next"]
        if after is None:
            total["rules"] = [{"rule": name, **found, "listed": found["listed"][:20]} for name, found in sums.items()]
            return total
        typer.echo(f"{total['requests']} requests so far", err=True)
