"""Named SQL statements from a module's ``queries.sql``.

A block is ``-- name: take_due_timers``, a comment of one sentence, and one statement with ``:named`` parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from shared.postgres.database import Connection, Record

_BLOCK = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)
# A quoted string or a comment is passed over; `::type` is a cast; `:word` is a parameter.
_TOKEN = re.compile(r"'(?:[^']|'')*'|--[^\n]*|::|:([a-z_][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One prepared-on-first-use statement.

    Attributes:
        name: as in the file.
        sql: with ``$1`` parameters.
        parameters: their names in order; a call must give exactly these.
    """

    name: str
    sql: str
    parameters: tuple[str, ...]

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        if given.keys() != set(self.parameters):
            raise TypeError(f"{self.name} takes {sorted(self.parameters)}, was given {sorted(given)}")
        return [given[name] for name in self.parameters]

    async def fetch(self, connection: Connection, **parameters: Any) -> list[Record]:
        rows: list[Record] = await connection.fetch(self.sql, *self.arguments(parameters))
        return rows

    async def fetchrow(self, connection: Connection, **parameters: Any) -> Record | None:
        return await connection.fetchrow(self.sql, *self.arguments(parameters))

    async def fetchval(self, connection: Connection, **parameters: Any) -> Any:
        return await connection.fetchval(self.sql, *self.arguments(parameters))

    async def execute(self, connection: Connection, **parameters: Any) -> str:
        status: str = await connection.execute(self.sql, *self.arguments(parameters))
        return status


def split_blocks(text: str) -> dict[str, str]:
    """Name to the text below it, as it stands; for whoever puts statements together of pieces.

    Raises:
        ValueError: a name occurs twice.
    """
    pieces = _BLOCK.split(text)
    blocks: dict[str, str] = {}
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if name in blocks:
            raise ValueError(f"statement {name} is defined twice")
        blocks[name] = body.strip().rstrip(";")
    return blocks


def parse_statements(text: str) -> dict[str, Statement]:
    """Split the text of a ``queries.sql``.

    Raises:
        ValueError: a name occurs twice.
    """
    statements: dict[str, Statement] = {}
    for name, body in split_blocks(text).items():
        parameters: list[str] = []

        def number(match: re.Match[str], parameters: list[str] = parameters) -> str:
            parameter = match.group(1)
            if parameter is None:
                return match.group(0)
            if parameter not in parameters:
                parameters.append(parameter)
            return f"${parameters.index(parameter) + 1}"

        sql = _TOKEN.sub(number, body).strip().rstrip(";")
        statements[name] = Statement(name, sql, tuple(parameters))
    return statements


def load_statements(module: str) -> dict[str, Statement]:
    """The statements of ``queries.sql`` in the package that holds ``module`` (give ``__name__``)."""
    return parse_statements(_text_beside(module))


def load_blocks(module: str) -> dict[str, str]:
    """The same as ``split_blocks`` gives them."""
    return split_blocks(_text_beside(module))


def _text_beside(module: str) -> str:
    package = module.rpartition(".")[0]
    return resources.files(package).joinpath("queries.sql").read_text(encoding="utf-8")
