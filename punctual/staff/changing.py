"""Other policies or calendars: shown first, then put in force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from punctual.staff.connection import StaffConnection
from punctual.staff.options import read_text
from punctual.staff.preview import fetch_preview, show_preview
from punctual.staff.screen import screen


def draft_of(
    *,
    policies: Path | None = None,
    calendars: Path | None = None,
    history_from: str | None = None,
    history_to: str | None = None,
) -> dict[str, Any]:
    """What a preview is asked for."""
    draft = {
        "policies": None if policies is None else read_text(policies),
        "calendars": None if calendars is None else read_text(calendars),
        "history_from": history_from,
        "history_to": history_to,
    }
    return {name: given for name, given in draft.items() if given is not None}


def tell_preview(connection: StaffConnection, draft: dict[str, Any], *, as_json: bool) -> None:
    """Print what a draft would change."""
    result = fetch_preview(connection, draft)
    if as_json:
        typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        show_preview(result, screen())


def put_in_force(
    connection: StaffConnection, what: str, text: str, reason: str, *, is_running: bool, is_sure: bool
) -> dict[str, Any] | None:
    """Show what would change, ask, and do it; gives the version in force, None when the answer was no.

    Args:
        what: ``policies`` or ``calendars``.
        is_running: clocks that run follow, too.
        is_sure: neither show nor ask.
    """
    if not is_sure:
        show_preview(fetch_preview(connection, {what: text}), screen(stderr=True))
        whom = "and clocks that run follow" if is_running else "for requests that come from now on"
        if not typer.confirm(f"Put these {what} in force, {whom}?", err=True):
            return None
    shown: dict[str, Any] = connection.put(
        f"/v1/{what}", text, reason=reason, running="apply" if is_running else "keep"
    )
    return shown


def tell_version(shown: dict[str, Any] | None, *, as_json: bool) -> None:
    """Print the version that is in force now; ends the program with 1 when nothing was put in force."""
    if shown is None:
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"Version {shown['version']} is in force.")
