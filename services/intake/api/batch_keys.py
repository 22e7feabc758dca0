"""Which of two lines of a batch with one idempotency key is the first: the one that came first.

Lines of one customer are taken in in the order they came. Those of two customers overtake each other, so a line waits
while an earlier one of another customer has its key.
"""

from __future__ import annotations

import asyncio

from services.intake.api.batch_answers import Answer
from services.intake.api.problems import key_in_flight
from services.intake.store.answers import KeyInFlight
from shared.errors import DatabaseUnavailable, Retryable


class KeysInUse:
    """The newest line with each key, of those whose answers are not taken; they are bounded, so this is."""

    def __init__(self, retry_after_seconds: int) -> None:
        self._retry_after_seconds = retry_after_seconds
        self._lines: dict[str, tuple[Answer, str]] = {}

    def add(self, answer: Answer, customer: str) -> None:
        """
        Args:
            customer: the channel's id of them.
        """
        self._lines[answer.key] = (answer, customer)

    def remove(self, answer: Answer) -> None:
        if answer.key in self._lines and self._lines[answer.key][0] is answer:
            del self._lines[answer.key]

    async def turn(self, key: str, customer: str) -> None:
        """Return when a line with this key may be offered; as long as the earlier one waits for a lock, at most.

        Raises:
            Problem: 409, the earlier line is to be sent again, and with it its key.
            DatabaseUnavailable: nobody can say now what became of the earlier line.
        """
        found = self._lines.get(key)
        if found is None or found[1] == customer or not isinstance(found[0].line, asyncio.Future):
            return
        await asyncio.wait([found[0].line])  # it outlives this call, which may be given up
        match found[0].line.result():
            case DatabaseUnavailable() as error:
                raise DatabaseUnavailable(str(error))
            case KeyInFlight() | Retryable():
                raise key_in_flight(self._retry_after_seconds)
