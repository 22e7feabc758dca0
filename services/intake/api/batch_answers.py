"""The answers of a batch between the lines that they answer and the client that takes them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Message, Send

from services.intake.handlers.offers import Outcome
from shared.errors import PunctualError

_MOST_UNANSWERED = 2_000  # lines of one batch: a group in each lane, and as many that are read meanwhile
_MOST_UNTAKEN_BYTES = 1_000_000  # of refusals that wait to be taken; a line that says fifty wrong things gets 10 kB
_PIECE_BYTES = 65_536  # of answers; the connection's own buffer holds as much


class NotTaken(PunctualError):
    """The client took nothing of the answer for too long."""


@dataclass(slots=True)
class Answer:
    """One line's, in the making: either the bytes or what they wait for."""

    number: int
    key: str
    line: bytes | asyncio.Future[Outcome]


class Answers:
    """In the order of the lines. They are bounded, so whoever adds one waits for its place before."""

    def __init__(self) -> None:
        self._waiting: deque[Answer] = deque()
        self._untaken_bytes = 0
        self._has_place = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    async def place(self) -> None:
        """Return when there is room for one more."""
        while len(self._waiting) >= _MOST_UNANSWERED or self._untaken_bytes >= _MOST_UNTAKEN_BYTES:
            self._has_place.clear()
            await self._has_place.wait()

    def add(self, answer: Answer) -> None:
        self._waiting.append(answer)
        if isinstance(answer.line, bytes):
            self._untaken_bytes += len(answer.line)

    async def first(self) -> None:
        """Return when the first of them is there."""
        line = self._waiting[0].line
        if isinstance(line, asyncio.Future):
            await line

    def take(self, tell: Callable[[Answer, Outcome], bytes]) -> bytes:
        """Those that are there, in order, up to a piece.

        Args:
            tell: makes the line of what became of one.
        """
        lines: list[bytes] = []
        size = 0
        while self._waiting and size < _PIECE_BYTES:
            answer = self._waiting[0]
            if isinstance(answer.line, bytes):
                self._untaken_bytes -= len(answer.line)
                lines.append(answer.line)
            elif answer.line.done():
                lines.append(tell(answer, answer.line.result()))
            else:
                break
            self._waiting.popleft()
            size += len(lines[-1])
        self._has_place.set()
        return b"".join(lines)


async def pass_on(send: Send, seconds: float, message: Message) -> None:
    """
    Args:
        seconds: how long the client may take nothing, real time.

    Raises:
        NotTaken: it did.
    """
    try:
        async with asyncio.timeout(seconds):
            await send(message)
    except TimeoutError:
        raise NotTaken(f"for {seconds:g} s") from None
