"""Lines of a stream that comes in pieces. Pure; holds no more than one line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """Attributes:
    number: 1, 2, 3, ...; lines left out are counted too.
    content: without the line's end; None of a line that is too long.
    """

    number: int
    content: bytes | None


class LineSplitter:
    """Cuts a stream at LF or CRLF. Lines of nothing but blanks are left out.

    Args:
        limit: bytes of a line without its end. The bytes of a longer one are dropped as they come.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._number = 1
        self._begun = bytearray()
        self._is_too_long = False

    def feed(self, piece: bytes) -> Iterator[Line]:
        """The lines that end in this piece."""
        start = 0
        while (end := piece.find(b"\n", start)) >= 0:
            yield from self._end_with(piece[start:end])
            start = end + 1
        self._add(piece[start:])

    def close(self) -> Iterator[Line]:
        """The last line, if its end is missing."""
        yield from self._end_with(b"")

    def _end_with(self, rest: bytes) -> Iterator[Line]:
        self._add(rest)
        content = bytes(self._begun).removesuffix(b"\r")
        is_too_long = self._is_too_long or len(content) > self._limit
        number = self._number
        self._number += 1
        self._begun.clear()
        self._is_too_long = False
        if is_too_long:
            yield Line(number, None)
        elif content.strip():
            yield Line(number, content)

    def _add(self, piece: bytes) -> None:
        if not self._is_too_long:
            self._begun += piece
            self._is_too_long = len(self._begun) > self._limit + 1  # one more, which may be the CR of the line's end
            if self._is_too_long:
                self._begun.clear()
