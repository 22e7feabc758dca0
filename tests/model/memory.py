"""What a process speaks to instead of Postgres: transactions over the dicts of `tests.model.store`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar

from services.sla_timer.domain.rules import Rulebook
from services.sla_timer.store.changes import Changes
from shared.contracts.topics import CLOCKS, Topic
from shared.errors import DatabaseUnavailable
from shared.inbox import ownership
from shared.outbox import EncodedRecord
from tests.model.store import Store

T = TypeVar("T")


def result_of(coroutine: Coroutine[Any, Any, T]) -> T:
    """Of one that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # what it returns is Any to the type checker
    raise AssertionError("it waited")


class Transaction:
    """What will be written when it commits; the store is read as it was before.

    No handler reads again what it has written in the same transaction, positions apart.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.positions = dict(store.positions)
        self.epochs = dict(store.epochs)
        self.writes: list[Callable[[], None]] = []
        self.callbacks: list[Callable[[], None]] = []
        self.saved: tuple[Changes, datetime] | None = None
        self.records: Sequence[EncodedRecord] = ()

    async def fetch(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """The plumbing's own statements."""
        if sql is ownership._TAKE:
            for partition in args[1]:
                self.epochs[partition] += 1
        elif sql not in (ownership._CHECK, ownership._LOOK):
            raise AssertionError(sql)
        return [
            {"topic": topic, "partition": p, "epoch": self.epochs[p], "next_offset": self.positions[p]}
            for topic, p in zip(args[0], args[1], strict=True)
        ]

    def commit(self) -> None:
        if self.saved is not None:
            self.store.commit(self.saved[0], self.records, self.saved[1])
        for write in self.writes:
            write()
        self.store.positions.update(self.positions)
        self.store.epochs.update(self.epochs)


class MemoryDatabase:
    """A process's way to the store.

    Attributes:
        fault: what goes wrong at the next commit: ``before`` or ``after`` it; None: nothing.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: Transaction | None = None
        self.fault: str | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Transaction]:
        yield Transaction(self._store)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Transaction]:
        yield Transaction(self._store)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        assert self._open is None, "a transaction inside another"
        self._open = transaction = Transaction(self._store)
        try:
            yield transaction
        finally:
            self._open = None
        fault, self.fault = self.fault, None
        if fault == "before":
            raise DatabaseUnavailable(fault)
        transaction.commit()
        if fault == "after":
            raise DatabaseUnavailable(fault)
        for callback in transaction.callbacks:
            callback()

    def after_commit(self, connection: Transaction, callback: Callable[[], None]) -> None:
        assert connection is self._open
        connection.callbacks.append(callback)


class MemoryOutbox:
    """Puts what is said into the transaction."""

    async def append_encoded(self, connection: Transaction, topic: Topic, records: Sequence[EncodedRecord]) -> None:
        assert topic is CLOCKS
        connection.records = records


class MemoryRulebooks:
    """Knows the versions it was told of, as ``Rulebooks`` does."""

    def __init__(self, versions: Mapping[int, Rulebook]) -> None:
        self._versions = versions
        self._known: dict[int, Rulebook] = {}
        result_of(self.follow())

    @property
    def current(self) -> Rulebook:
        return self._known[max(self._known)]

    async def at(self, _connection: object, version: int) -> Rulebook:
        return self._known.setdefault(version, self._versions[version])

    def known(self, version: int) -> Rulebook:
        return self._known[version]

    async def follow(self) -> None:
        newest = max(self._versions)
        self._known[newest] = self._versions[newest]
