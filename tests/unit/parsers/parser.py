"""What a parser is, to its tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Read = Callable[[Any], object]
Declared = type[Exception] | tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True)
class Parser:
    """Attributes:
    read: takes a text, octets, or what a reader of JSON gives, as the lists below say.
    declared: the errors it may raise.
    good: what it takes.
    """

    name: str
    read: Read
    declared: Declared = ()
    good: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """As much of a file as its readers use."""

    content: str | bytes

    def read_text(self, encoding: str) -> str:
        assert isinstance(self.content, str)
        assert encoding == "utf-8"
        return self.content

    def read_bytes(self) -> bytes:
        assert isinstance(self.content, bytes)
        return self.content


def check_usable(instant: datetime | None) -> None:
    """Postgres takes it: it can be told in UTC."""
    if instant is not None:
        instant.astimezone(UTC)
