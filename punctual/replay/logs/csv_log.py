"""CSV with a header line. A bad record costs itself only, even when its quote is never closed."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from punctual.replay.logs.damage import DAMAGE, describe_damage
from punctual.replay.logs.rows import Entry, Malformed, Row
from shared.errors import ConfigurationError

_MOST_LINES = 50  # of one record with line breaks in quotes; more means that a quote was not closed

_SMUGGLED = range(0xDC80, 0xDD00)  # how Python carries bytes that do not decode


def read_csv(stream: BinaryIO, *, delimiter: str, encoding: str, needed: Iterable[str], origin: str) -> Iterator[Entry]:
    """Rows by the names of the header.

    Raises:
        ConfigurationError: the file is empty, or a needed column is missing.
    """
    with io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="") as text:
        yield from _rows(_records(_Lines(text), delimiter), encoding, needed, origin)


def _rows(
    records: Iterator[tuple[int, list[str] | str]], encoding: str, needed: Iterable[str], origin: str
) -> Iterator[Entry]:
    header = _header(records, needed, origin)
    for line, record in records:
        if isinstance(record, str):
            yield Malformed(line, record)
        elif len(record) != len(header):
            yield Malformed(line, f"{len(record)} fields where the header has {len(header)}")
        elif any(ord(character) in _SMUGGLED for value in record if not value.isascii() for character in value):
            yield Malformed(line, f"not {encoding}")
        else:
            yield Row(line, dict(zip(header, record, strict=True)))


def _header(records: Iterator[tuple[int, list[str] | str]], needed: Iterable[str], origin: str) -> list[str]:
    _, header = next(records, (0, "the log is empty"))
    if isinstance(header, str):
        raise ConfigurationError(f"{origin}: {header}")
    header[0] = header[0].removeprefix("\ufeff")
    missing = [column for column in needed if column not in header]
    if missing:
        raise ConfigurationError(f"{origin}: the log has no column {', '.join(missing)}; it has {', '.join(header)}")
    return header


def _records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Line number and fields, or line number and what is wrong."""
    while not lines.is_over:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            record = next(reader, None)
        except csv.Error as error:
            yield lines.first, "a quote is not closed" if lines.is_full else str(error)
            lines.give_back()  # what was swallowed after the first line may be good
            continue
        if record:
            yield lines.first, record
        lines.accept()
    if lines.damage is not None:
        yield lines.first, lines.damage


class _Lines:
    """An iterator of lines that remembers those of the current record."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._taken: list[str] = []
        self._returned: deque[str] = deque()
        self.first = 1
        self.is_over = False
        self.damage: str | None = None

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self.is_full:
            raise StopIteration
        line = self._returned.popleft() if self._returned else self._read()
        if not line:
            self.is_over = not self._taken
            raise StopIteration
        self._taken.append(line)
        return line

    @property
    def is_full(self) -> bool:
        return len(self._taken) >= _MOST_LINES

    def accept(self) -> None:
        """The lines taken so far are dealt with."""
        self.first += len(self._taken)
        self._taken.clear()

    def give_back(self) -> None:
        """Only the first line is dealt with; the others come again."""
        self._returned.extendleft(reversed(self._taken[1:]))
        self.first += 1
        self._taken.clear()

    def _read(self) -> str:
        try:
            return self._text.readline() if self.damage is None else ""
        except DAMAGE as error:
            self.damage = describe_damage(error)
            return ""
