"""What Postgres says of a row it refuses stays here: its text repeats the row, and rows hold personal data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from shared.errors import PunctualError
from shared.postgres import Connection, Database
from shared.postgres.database import UNAVAILABLE


class Unstorable(PunctualError):
    """Postgres refused what had passed every check: the program is wrong.

    Names the class of the error and the constraint or column; Postgres' own text is withheld.
    """


@contextmanager
def refusals_withheld() -> Iterator[None]:
    """Around whatever writes, so that neither log nor answer repeats a row.

    Raises:
        Unstorable: for every error of Postgres but those after which the work can be tried again; these tell of
            connections and locks, not of rows.
    """
    try:
        yield
    except UNAVAILABLE:
        raise
    except asyncpg.PostgresError as error:
        raise Unstorable(f"{type(error).__name__} at {error.constraint_name or error.column_name}") from None


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[Connection]:
    """A transaction in which every refusal is withheld.

    Raises:
        Unstorable: Postgres refused a row.
        DatabaseUnavailable: the server went away; whether the commit happened may be unknown.
    """
    with refusals_withheld():
        async with database.transaction() as connection:
            yield connection
