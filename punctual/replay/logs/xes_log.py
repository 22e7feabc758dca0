"""XES (IEEE 1849), streamed. Standard library's expat directly, because it tells the line of everything.

A document type declaration is refused: no XES log needs one, and it is the door to entity bombs and to other files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from punctual.replay.logs.damage import DAMAGE, describe_damage
from punctual.replay.logs.rows import Entry, Malformed, Row

_CHUNK = 1 << 16
_ATTRIBUTES = {"string", "date", "int", "float", "boolean", "id"}
TRACE_PREFIX = "case:"


def read_xes(stream: BinaryIO) -> Iterator[Entry]:
    """Rows in the order of the file; attributes of the trace carry the prefix ``case:``."""
    reading = _Reading()
    while True:
        try:
            chunk = stream.read(_CHUNK)
        except DAMAGE as error:
            yield from reading.end(describe_damage(error))
            return
        problem = reading.feed(chunk)
        yield from reading.take()
        if problem is not None:
            yield from reading.end(problem)
            return
        if not chunk:
            return


class _DoctypeRefused(Exception):
    """The log has a document type declaration."""


class _Reading:
    """Feeds the parser and collects whole traces."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._ready: list[Entry] = []
        self._path: list[str] = []
        self._trace: dict[str, str] = {}
        self._events: list[tuple[int, dict[str, str]]] = []

    def feed(self, chunk: bytes) -> str | None:
        """Parse more; the last chunk is empty. Gives what is wrong, after which nothing more can be read."""
        try:
            self._parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            return f"not XML from here on: {expat.errors.messages[error.code]}"
        except _DoctypeRefused:
            return "a document type declaration is not accepted; a XES log needs none"
        return None

    def take(self) -> list[Entry]:
        """What became complete since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def end(self, problem: str) -> list[Entry]:
        """The events of the trace that was cut off, and the reason."""
        self._finish_trace()
        return [*self.take(), Malformed(self._parser.ErrorLineNumber or self._parser.CurrentLineNumber, problem)]

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        parent = self._path[-1] if self._path else ""
        self._path.append(name)
        if name == "trace":
            self._trace, self._events = {}, []
        elif name == "event" and parent == "trace":
            self._events.append((self._parser.CurrentLineNumber, {}))
        elif name in _ATTRIBUTES and "key" in attributes:
            if parent == "event" and self._events:
                self._events[-1][1][attributes["key"]] = attributes.get("value", "")
            elif parent == "trace":
                self._trace[TRACE_PREFIX + attributes["key"]] = attributes.get("value", "")

    def _end(self, _tag: str) -> None:
        if self._path.pop() == "trace":
            self._finish_trace()

    def _doctype(self, *_: object) -> None:
        raise _DoctypeRefused

    def _finish_trace(self) -> None:
        self._ready.extend(Row(line, {**self._trace, **values}) for line, values in self._events)
        self._events = []
