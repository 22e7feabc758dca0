"""The facts of a request, from constants, columns and tables of the map."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from punctual.replay.mapping.choices import FromColumn
from punctual.replay.mapping.events import LogEvent
from punctual.replay.mapping.model import LogMap

_NOT_CODE = re.compile(r"[^A-Za-z0-9_.:/-]+")
_CODE_LENGTH = 64
_LINE_LENGTH = 128
_LARGEST_EXACT_NUMBER = 2**53


class FactMissing(ValueError):
    """The map does not say what a value means and has no default."""


def code_of(text: str) -> str:
    """A word fit for codes; a hash where nothing of the text can be kept."""
    code = _NOT_CODE.sub("-", text).strip("-_.:/")[:_CODE_LENGTH]
    return code or (sha256(text.encode()).hexdigest()[:12] if text else "")


def one_line(text: str) -> str:
    """A name that intake takes as an external id."""
    return "".join(c if c.isprintable() else " " for c in text).strip()[:_LINE_LENGTH] or "unnamed"


class FactReader:
    """Makes the submission of a case.

    Args:
        log_name: keeps the customers of different logs apart.
    """

    def __init__(self, log_map: LogMap, log_name: str) -> None:
        self._map = log_map
        self._log_name = log_name
        self._position = {column: i for i, column in enumerate(log_map.value_columns())}

    def submission(self, case: str, events: Sequence[LogEvent]) -> tuple[str, dict[str, Any]]:
        """Channel, and the body without its instant.

        Raises:
            FactMissing: names the field and the column.
        """
        request = self._map.request
        body: dict[str, Any] = {
            "kind": self._choose("kind", request.kind, events),
            "priority": self._choose("priority", request.priority, events),
            "market": self._choose("market", request.market, events),
            "external_id": one_line(case),
            "attributes": self._attributes(events),
        }
        if request.product_line is not None:
            line = request.product_line
            is_told = (
                not isinstance(line, FromColumn) or line.values or line.default or self._first(line.column, events)
            )
            if is_told:  # intake does not insist on it
                body["product_line"] = code_of(self._choose("product_line", line, events))
        body["customer"] = self._customer(case, events)
        return self._choose("channel", request.channel, events), body

    def _choose(self, field: str, choice: Any, events: Sequence[LogEvent]) -> str:
        if not isinstance(choice, FromColumn):
            return str(choice)
        said = self._first(choice.column, events)
        if not choice.values and said:
            return said
        meant = choice.values.get(said, choice.default)
        if meant is None:
            raise FactMissing(f"{field}: the map has no meaning for what column {choice.column} says, and no default")
        return str(meant)

    def _attributes(self, events: Sequence[LogEvent]) -> dict[str, str | float | int]:
        attributes: dict[str, str | float | int] = {}
        for name, source in self._map.request.attributes.items():
            said = self._first(source.column, events)
            value = _number(said) if source.as_ == "number" else code_of(said)
            if value not in (None, ""):
                attributes[name] = value
        return attributes

    def _customer(self, case: str, events: Sequence[LogEvent]) -> dict[str, Any]:
        column = self._map.customer.column
        who = (self._first(column, events) if column else "") or f"case {case}"
        number = sha256(f"{self._log_name}\0{who}".encode()).hexdigest()[:10]
        return {
            "id": f"replay-{number}",
            "name": f"Customer {number[:6].upper()}",
            "email": f"replay-{number}@customer.example",
            "language": self._choose("language", self._map.request.language, events),
            "tier": self._choose("tier", self._map.customer.tier, events),
        }

    def _first(self, column: str, events: Sequence[LogEvent]) -> str:
        """What the case says first in that column; later events may have forgotten it."""
        position = self._position[column]
        return next((event.values[position] for event in events if event.values[position]), "")


def _number(text: str) -> float | int | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number) or abs(number) > _LARGEST_EXACT_NUMBER:
        return None
    return int(number) if number.is_integer() else number
