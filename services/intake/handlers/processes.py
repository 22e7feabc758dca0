"""Which process definitions are in force. New versions come from files or the API; old ones serve what they began.

A broken file stops the start; a broken definition from elsewhere never replaces what is in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.intake.domain.process import Process
from services.intake.domain.process_book import ProcessBook
from services.intake.domain.process_files import Worded, read_process
from services.intake.domain.validation.personal_names import PersonalNames
from services.intake.handlers.superseded import check_seen
from services.intake.store import processes as store
from services.intake.store.processes import Origin, ProcessVersion
from shared.clock import Clock
from shared.errors import ConfigurationError
from shared.postgres import Connection, Database
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_NEXT = 1  # a version that a text does not have yet; the store gives the true one


@dataclass(frozen=True, slots=True)
class Applied:
    """Attributes:
    is_new: False when the text was in force already.
    """

    process: Process
    is_new: bool


class Processes:
    """The definitions in force and, on demand, every earlier one.

    Args:
        files: name to text, the definitions that come with the program or were put beside it.
        worded: what the status page has words for.
        personal: names that no attribute may have, as the rules of validation give them.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        files: Mapping[str, str],
        worded: Worded,
        personal: PersonalNames,
    ) -> None:
        self._database = database
        self._clock = clock
        self._files = files
        self._worded = worded
        self._personal = personal
        self._book: ProcessBook | None = None
        self._older: dict[tuple[str, int], Process] = {}
        self._followed: int | None = None

    @property
    def book(self) -> ProcessBook:
        """What new requests follow; ``start`` has seen to it that there is one."""
        assert self._book is not None
        return self._book

    def read(self, source: str, file: str, *, is_stored: bool = False) -> Process:
        """
        Args:
            is_stored: the text was put in force before, so its size is no matter any more.

        Raises:
            InvalidDocument: names every wrong field.
        """
        return read_process(source, file, _NEXT, worded=self._worded, personal=self._personal, is_stored=is_stored)

    async def start(self) -> None:
        """Put what is new in the files in force, and know what is in force.

        Raises:
            ConfigurationError: a file cannot be used, or the definitions leave a kind without one.
        """
        async with self._database.transaction() as connection:
            await store.lock(connection)
            known = await store.known_sources(connection, self._files.values())
            drafts = {n: self.read(source, n, is_stored=source in known) for n, source in self._files.items()}
            _require_one_each(drafts)
            for name, draft in drafts.items():
                source = self._files[name]
                if await store.newest_file_source(connection, draft.code) != source:
                    if await store.was_file_source(connection, draft.code, source):  # the program may be the older one
                        _log.warning("an older file is in force again", process=draft.code, file=name)
                    await self._add(connection, draft.code, source, "file", name, None)
            await self._load(connection)

    async def follow(self) -> None:
        """Learn what another process put in force."""
        async with self._database.connection() as connection:
            if await store.newest_change(connection) != self._followed:
                await self._load(connection)

    async def of(self, connection: Connection, code: str, version: int) -> Process:
        """The version that a stored request follows.

        Raises:
            ConfigurationError: it cannot be read by this program.
        """
        known = await self.find(connection, code, version)
        if known is None:
            raise ConfigurationError(f"process {code} version {version} is in use but not stored")
        return known

    async def find(self, connection: Connection, code: str, version: int) -> Process | None:
        """None when there is no such version.

        Raises:
            ConfigurationError: it cannot be read by this program.
        """
        known = self.book.find(code, version) or self._older.get((code, version))
        if known is None:
            found = await store.load_version(connection, code, version)
            if found is not None:
                known = self._older[code, version] = read_stored(found)
        return known

    async def read_apart(self, source: str) -> Process:
        """A draft that somebody sends, read by a thread: a text may be a megabyte long.

        Raises:
            InvalidDocument: names every wrong field.
        """
        return await asyncio.to_thread(self.read, source, "process")

    async def read_to_apply(self, source: str) -> Process:
        """As ``read_apart``; a text that was put in force before may be of any size.

        Raises:
            InvalidDocument: names every wrong field.
        """
        async with self._database.connection() as connection:
            is_stored = source in await store.known_sources(connection, [source])
        return await asyncio.to_thread(self.read, source, "process", is_stored=is_stored)

    async def apply(
        self,
        connection: Connection,
        draft: Process,
        source: str,
        author: str,
        reason: str,
        seen_versions: frozenset[int] | None = None,
    ) -> Applied:
        """Put a definition in force for new requests.

        Args:
            draft: what ``source`` says.
            seen_versions: only while one of these is in force, or the text itself; None means whatever is.

        Raises:
            Superseded: another one is in force by now.
            ConfigurationError: it would leave a kind without a definition, or a product line with two.
        """
        await store.lock(connection)
        newest = {found.process: found for found in await store.newest_versions(connection)}
        former = newest.get(draft.code)
        if former is not None and former.source == source:
            return Applied(self._known(former), is_new=False)
        check_seen(seen_versions, former.version if former is not None else None)
        ProcessBook([draft, *(self._known(found) for code, found in newest.items() if code != draft.code)])
        version = await self._add(connection, draft.code, source, "api", author, reason)
        return Applied(replace(draft, version=version), is_new=True)

    async def _add(
        self, connection: Connection, code: str, source: str, origin: Origin, author: str, reason: str | None
    ) -> int:
        version = await store.add_version(connection, code, source, origin, author, reason, self._clock.now())
        _log.info("process in force", process=code, version=version, origin=origin, author=author)
        return version

    async def _load(self, connection: Connection) -> None:
        change = await store.newest_change(connection)
        self._book = ProcessBook([self._known(found) for found in await store.newest_versions(connection)])
        self._followed = change

    def _known(self, found: ProcessVersion) -> Process:
        """As it was read before; a version never changes."""
        known = self._book.find(found.process, found.version) if self._book is not None else None
        return known or self._older.get((found.process, found.version)) or read_stored(found)


def read_stored(found: ProcessVersion) -> Process:
    """
    Raises:
        InvalidDocument: an older program wrote what this one cannot read.
    """
    file = f"{found.process} version {found.version}"
    return read_process(found.source, file, found.version, is_stored=True)


def _require_one_each(drafts: Mapping[str, Process]) -> None:
    files: dict[str, str] = {}
    for name, draft in drafts.items():
        other = files.setdefault(draft.code, name)
        if other != name:
            raise ConfigurationError(f"{other} and {name} both define process {draft.code}")
