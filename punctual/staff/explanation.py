"""Why a deadline is where it is, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from punctual.staff.words import instant, span

_HIDDEN_DETAILS = {"from"}


def explanation_tables(explanation: Mapping[str, Any]) -> RenderableType:
    """Every clock of a request."""
    head = Text.assemble((explanation["reference"], "bold"), f"   {explanation['request_id']}   all instants UTC")
    return Group(head, *(part for clock in explanation["clocks"] for part in _clock(clock)))


def _clock(clock: Mapping[str, Any]) -> Iterator[RenderableType]:
    promise = clock["promise"]
    name = clock["objective"] if clock["cycle"] == 1 else f"{clock['objective']}, cycle {clock['cycle']}"
    yield Text()
    yield Text.assemble((name, "bold"), f"   {_state(clock)}")
    extension = f" and {span(promise['extension_seconds'])} granted" if promise["extension_seconds"] else ""
    calendar = "" if promise["budget_kind"] == "elapsed" else f" on {promise['calendar']}"
    yield Text(
        f"{promise['budget']}{extension}{calendar}, promised to {promise['party']} by policy {promise['policy']}"
        f" version {promise['policy_version']}, mode {promise['mode']}"
    )
    yield Text(f"started {instant(clock['started_at'])}, due {instant(clock['due_at'])}")
    if clock["is_due_at_once"]:
        yield Text("due when a change left less time than was spent already", style="yellow")
    if clock["provisional_since"] is not None:
        yield Text(f"provisional: the calendar is known until {clock['provisional_since']}", style="yellow")
    if clock["windows"]:
        yield _windows(clock)
    if clock["pauses"]:
        yield _pauses(clock)
    yield _entries(clock)
    yield _rungs(clock)


def _state(clock: Mapping[str, Any]) -> str:
    state: str = clock["state"]
    if clock["stopped_at"] is not None:
        state += f" at {instant(clock['stopped_at'])}"
    if clock["cause"]:
        state += f" ({clock['cause']})"
    return state if clock["is_kept"] is None else f"{state}, {'kept' if clock['is_kept'] else 'not kept'}"


def _windows(clock: Mapping[str, Any]) -> Table:
    table = _table("counted", "from", "to", ("time", "right"), ("total", "right"))
    for window in clock["windows"]:
        table.add_row(
            "",
            instant(window["start"]),
            instant(window["end"]),
            span(window["counted_seconds"]),
            span(window["total_seconds"]),
        )
    return table


def _pauses(clock: Mapping[str, Any]) -> Table:
    table = _table("left out", "from", "to", "because of")
    for pause in clock["pauses"]:
        table.add_row("", instant(pause["start"]), instant(pause["end"]), ", ".join(pause["reasons"]))
    return table


def _entries(clock: Mapping[str, Any]) -> Table:
    table = _table("told", "occurred", "what", "effect", "deadline")
    for entry in clock["entries"]:
        table.add_row(
            "",
            instant(entry["occurred_at"]),
            _what(entry),
            entry["effect"] or "-",
            instant(entry["due_after"]) if entry["due_after"] != entry["due_before"] else "",
        )
    return table


def _what(entry: Mapping[str, Any]) -> str:
    what = entry["happening"].replace("_", " ")
    if entry["value"]:
        what += f" {entry['value']}"
    details = {name: value for name, value in (entry["details"] or {}).items() if name not in _HIDDEN_DETAILS}
    if "seconds" in details:
        details["by"] = span(details.pop("seconds"))
    told = ", ".join(f"{name} {value}" for name, value in details.items() if value not in (None, {}))
    return f"{what} ({told})" if told else what


def _rungs(clock: Mapping[str, Any]) -> Table:
    table = _table("ladder", "instant", "what", "tells", "")
    for when, word in (("came", "came"), ("to_come", "to come")):
        for rung in clock[when]:
            what = f"{rung['kind'].replace('_', ' ')} {rung['level']}"
            table.add_row("", instant(rung["at"]), what, ", ".join(rung["roles"]), word)
    return table


def _table(*columns: str | tuple[str, str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for column in columns:
        if isinstance(column, str):
            table.add_column(column)
        else:
            table.add_column(column[0], justify="right")
    return table


def choice_trees(answer: Mapping[str, Any]) -> RenderableType:
    """Which policy a request got and why, condition by condition."""
    parts: list[RenderableType] = []
    for choice in answer["choices"]:
        cause = f", since {choice['cause'].replace('_', ' ')}" if choice["cause"] else ""
        tree = Tree(
            f"{instant(choice['from_at'])} UTC: policy {choice['policy']} of version {choice['policy_version']},"
            f" mode {choice['mode']}{cause}"
        )
        for asked in choice["asked"]:
            _grow(tree.add(Text.assemble(_mark(asked["condition"]), f" {asked['policy']}")), asked["condition"])
        parts.append(tree)
    return Group(Text(answer["reference"], style="bold"), *parts)


def _grow(tree: Tree, finding: Mapping[str, Any]) -> None:
    branch = tree.add(Text.assemble(_mark(finding), f" {finding['text']}"))
    for part in finding["parts"]:
        _grow(branch, part)


def _mark(finding: Mapping[str, Any]) -> tuple[str, str]:
    return ("yes", "green") if finding["holds"] else ("no ", "red")
