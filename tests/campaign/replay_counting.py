"""What a log holds and what its map makes of it, counted straight from the two files.

Shares no code with `punctual.replay`: it reads with the standard library, keeps everything in memory and follows the
description in docs/howto/replay-a-log.md. It is slow to look at and plain, because the replay is compared with it.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import yaml

MAPS = Path(__file__).parents[2] / "punctual" / "replay" / "maps"
PROCESSES = Path(__file__).parents[2] / "services" / "intake" / "data" / "processes"


@dataclass
class Count:
    """Attributes:
    rows: lines of the log (events of a XES), its header left out.
    filtered: of these, those that the map leaves out.
    activities: name -> events.
    calls: what is asked of intake, such as ``stage assessment`` -> how often.
    taken, refused: of these, what the process allows; and what it refuses, by call and code.
    silent: activity -> events that ask nothing.
    kinds, channels, outcomes: requests by each; an outcome counts where the request ends closed.
    """

    rows: int = 0
    filtered: int = 0
    activities: Counter[str] = field(default_factory=Counter)
    cases: set[str] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def events(self) -> int:
        return self.activities.total()


def count_log(log: Path, map_name: str) -> Count:
    """Every line must be readable: these logs have no damage, and a line that is not raises."""
    meaning = read_map(map_name)
    count = Count()
    cases: dict[str, list[tuple[datetime, int, str, dict[str, str]]]] = {}
    for row in _rows(log, meaning):
        count.rows += 1
        if not all(_passes(rule, row) for rule in meaning.get("filters", [])):
            count.filtered += 1
            continue
        for activity, instant in _happenings(row, meaning):
            case = row[meaning["columns"]["case"]]
            count.activities[activity] += 1
            count.cases.add(case)
            cases.setdefault(case, []).append((_read_instant(instant, meaning), count.events, activity, row))
    process = _process_of(meaning)
    for events in cases.values():
        events.sort(key=lambda event: event[:2])
        _follow(events, meaning, process, count)
    return count


def read_map(name: str) -> dict[str, Any]:
    """A map that ships, as it is written."""
    meaning: dict[str, Any] = yaml.load((MAPS / f"{name}.yml").read_text(), Loader=yaml.BaseLoader)
    return meaning


def _rows(log: Path, meaning: dict[str, Any]) -> Iterator[dict[str, str]]:
    with gzip.open(log, "rt", encoding="utf-8", newline="") as file:
        if log.name.endswith(".xes.gz"):
            yield from _xes_rows(file)
        else:
            yield from csv.DictReader(file, delimiter=meaning.get("delimiter", ","), strict=True)


def _xes_rows(file: TextIO) -> Iterator[dict[str, str]]:
    for _, element in ET.iterparse(file):
        if element.tag.rpartition("}")[2] != "trace":
            continue
        children = [(child, child.tag.rpartition("}")[2]) for child in element]
        about = {f"case:{child.get('key')}": child.get("value", "") for child, tag in children if tag != "event"}
        for child, tag in children:
            if tag == "event":
                yield about | {str(each.get("key")): each.get("value", "") for each in child}
        element.clear()


def _passes(rule: dict[str, Any], row: dict[str, str]) -> bool:
    value = row.get(rule["column"], "")
    return value in _listed(rule["only"]) if "only" in rule else value not in _listed(rule["without"])


def _listed(value: str | list[Any]) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _happenings(row: dict[str, str], meaning: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Activity and instant of each event in a row."""
    columns = meaning["columns"]
    if "instants" in columns:
        yield from ((activity, row[column]) for activity, column in columns["instants"].items() if row[column])
    else:
        parts = [row.get(column, "").strip() for column in _listed(columns["activity"])]
        yield (
            " / ".join(part for part in parts if part not in ("", *meaning.get("missing", []))),
            row[columns["instant"]],
        )


def _read_instant(text: str, meaning: dict[str, Any]) -> datetime:
    how = meaning.get("instants", {})
    written = how.get("formats", "iso")
    instant = datetime.fromisoformat(text) if written == "iso" else datetime.strptime(text, written)  # noqa: DTZ007
    return (instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(how["zone"]))).astimezone(UTC)


def _process_of(meaning: dict[str, Any]) -> dict[str, Any]:
    """The process of a kind without a product line; every shipped map has one kind."""
    text = (PROCESSES / f"{meaning['request']['kind']}.yml").read_text()
    process: dict[str, Any] = yaml.load(text, Loader=yaml.BaseLoader)
    return process


def _entry_of(activity: str, meaning: dict[str, Any]) -> tuple[str, list[Any]]:
    parts = activity.split(" / ")
    for length in range(len(parts), 0, -1):
        name = " / ".join(parts[:length])
        if name in meaning["activities"]:
            return name, _listed(meaning["activities"][name])
    return activity, []


def _follow(
    events: list[tuple[datetime, int, str, dict[str, str]]],
    meaning: dict[str, Any],
    process: dict[str, Any],
    count: Count,
) -> None:
    """One case: what is asked, and what the process says to it."""
    entries = [_entry_of(activity, meaning) for _, _, activity, _ in events]
    names = [name for name, _ in entries]
    asked: list[str] = []
    stage = ""
    waits: set[str] = set()
    for position, ((_, _, activity, _), (name, actions)) in enumerate(zip(events, entries, strict=True)):
        before = len(asked)
        for action in actions:
            words, take = _words(action)
            is_left_out = (take == "first" and name in names[:position]) or (
                take == "last" and name in names[position + 1 :]
            )
            if words == "ignore" or is_left_out:
                continue
            if not asked:
                asked.append("submit")
            verb, _, what = words.partition(" ")
            if (
                words == "submit"
                or (verb == "stage" and stage == what)
                or (verb == "pause" and what in waits)
                or (verb == "resume" and what not in waits)
            ):
                continue
            stage = what if verb == "stage" else stage
            waits = waits | {what} if verb == "pause" else waits - {what} if verb == "resume" else waits
            asked.append(words)
        if len(asked) == before:
            count.silent[activity] += 1
    count.calls.update(asked)
    if asked:
        request = meaning["request"]
        count.kinds[request["kind"]] += 1
        count.channels[_channel(request["channel"], [row for *_, row in events], meaning)] += 1
        _judge(asked, process, count)


def _words(action: Any) -> tuple[str, str]:
    """``stage assessment``, and which occurrences count."""
    if isinstance(action, str):
        return action, "every"
    ((verb, what),) = [(key, value) for key, value in action.items() if key not in ("take", "reason")]
    return f"{verb} {what}".strip(), action.get("take", "every")


def _channel(choice: Any, rows: list[dict[str, str]], meaning: dict[str, Any]) -> str:
    if isinstance(choice, str):
        return choice
    said = [row[choice["column"]] for row in rows]
    first = next((value for value in said if value not in ("", *meaning.get("missing", []))), "")
    return str(choice["values"].get(first, choice.get("default")))


def _judge(asked: list[str], process: dict[str, Any], count: Count) -> None:
    """What the process takes, read from its file; no control point of the processes used here is on the way."""
    stage, outcome = process["start"], None
    waits: set[str] = set()
    for words in asked:
        verb, _, what = words.partition(" ")
        here = process["stages"][stage]
        code = None
        if outcome is not None:
            code = "request_over"
        elif verb == "stage" and what not in [*here.get("next", []), *here.get("rework", [])]:
            code = "stage_forbidden"
        elif verb == "pause" and (what not in process["pauses"] or what in waits):
            code = "pause_forbidden"
        elif verb == "resume" and what not in waits:
            code = "resume_forbidden"
        elif verb == "close" and what not in here.get("outcomes", process["outcomes"]):
            code = "outcome_forbidden"
        if code is not None:
            count.refused[words, code] += 1
            continue
        count.taken[words] += 1
        stage = what if verb == "stage" else stage
        waits = waits | {what} if verb == "pause" else waits - {what} if verb == "resume" else waits
        outcome = what if verb == "close" else outcome
    if outcome is not None:
        count.outcomes[outcome] += 1
