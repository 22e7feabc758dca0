"""Shows how far a replay is: a bar in a terminal, a line now and then elsewhere. Always on stderr."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Look = Callable[[], tuple[int, str]]
"""How much is done, and a few words beside it."""

_BAR_SECONDS = 0.2
_LINE_SECONDS = 5.0


@asynccontextmanager
async def showing(title: str, total: int, look: Look, console: Console) -> AsyncIterator[None]:
    """Show ``look`` until the block ends."""
    show = _bar(title, total, look, console) if console.is_terminal else _lines(title, total, look, console)
    task = asyncio.create_task(show)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _bar(title: str, total: int, look: Look, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=console) as progress:
        task = progress.add_task(title, total=total, words="")
        try:
            while True:
                done, words = look()
                progress.update(task, completed=done, words=words)
                await asyncio.sleep(_BAR_SECONDS)
        finally:
            done, words = look()
            progress.update(task, completed=done, words=words)


async def _lines(title: str, total: int, look: Look, console: Console) -> None:
    while True:
        await asyncio.sleep(_LINE_SECONDS)
        done, words = look()
        console.print(f"{title}: {done} of {total}, {words}", highlight=False, markup=False, soft_wrap=True)
