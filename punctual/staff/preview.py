"""A preview of other rules, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from punctual.staff.connection import StaffConnection
from punctual.staff.streams import read_through
from punctual.staff.words import instant, share

_COLUMNS = ("earlier", "later", "standing", "started", "cancelled", "breached_at_once")
_NOTHING = "Nothing is different from what is in force."


def fetch_preview(connection: StaffConnection, draft: Mapping[str, Any]) -> dict[str, Any]:
    """What a draft would change; shows how far the service is."""
    return read_through(connection.lines("/v1/rules:preview", draft))


def show_preview(result: Mapping[str, Any], console: Console) -> None:
    console.print(preview_tables(result))


def preview_tables(result: Mapping[str, Any]) -> RenderableType:
    """Everything that the preview found."""
    parts: list[RenderableType] = [_differences(result["differences"]), _running(result["running"])]
    if result["running"]["listed"]:
        parts.append(_listed(result["running"]))
    if result["history"] is not None:
        parts.append(_history(result["history"]))
    return Group(*parts)


def _differences(lines: list[str]) -> RenderableType:
    if not lines:
        return Text(_NOTHING)
    return Group(Text("Different from what is in force:", style="bold"), *(Text(f"  {line}") for line in lines))


def _running(running: Mapping[str, Any]) -> RenderableType:
    head = f"Applied to clocks that run: {running['affected']} of {running['requests']} requests would change."
    if not running["by_promise"]:
        return Text(head)
    table = Table("policy", "objective", title=head, title_justify="left", title_style="bold")
    for column in _COLUMNS:
        table.add_column(column.replace("_", " "), justify="right")
    for row in running["by_promise"]:
        table.add_row(row["policy"], row["objective"], *(str(row[column]) for column in _COLUMNS))
    table.add_section()
    table.add_row("all", "", *(str(running[column]) for column in _COLUMNS))
    return table


def _listed(running: Mapping[str, Any]) -> RenderableType:
    title = f"The first {len(running['listed'])} (UTC)"
    table = Table(
        "reference", "objective", "change", "from", "to", "", title=title, title_justify="left", title_style="bold"
    )
    for change in running["listed"]:
        objective = change["objective"] if change["cycle"] == 1 else f"{change['objective']} {change['cycle']}"
        breached = Text("breached at once", style="red") if change["is_breached_at_once"] else ""
        table.add_row(
            change["reference"],
            objective,
            change["kind"],
            instant(change["from_at"]),
            instant(change["to_at"]),
            breached,
        )
    return table


def _history(history: Mapping[str, Any]) -> RenderableType:
    title = f"Kept in time, of {history['requests']} requests of that span"
    table = Table(
        "kind", "objective", "as it was", "under these rules", title=title, title_justify="left", title_style="bold"
    )
    for row in history["by_kind"]:
        before, after = (share(row[when]["kept"], row[when]["missed"]) for when in ("before", "after"))
        table.add_row(row["request_kind"], row["objective"], before, after)
    return table
