"""Which rules of automation are in force. New versions come from the file or the API."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.intake.domain.automation.reading import read_automation
from services.intake.domain.automation.rules import RuleSet
from services.intake.handlers.superseded import check_seen
from services.intake.store import automation as store
from services.intake.store.automation import AutomationVersion
from shared.clock import Clock
from shared.postgres import Connection, Database
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

FILE = "automation.yml"


@dataclass(frozen=True, slots=True)
class InForce:
    version: AutomationVersion
    rules: RuleSet


class Automations:
    """Args:
    source: the text of the file that comes with the program or was put in its place.
    """

    def __init__(self, database: Database, clock: Clock, source: str) -> None:
        self._database = database
        self._clock = clock
        self._source = source
        self._in_force: InForce | None = None

    @property
    def in_force(self) -> InForce:
        """``start`` has seen to it that there is one."""
        assert self._in_force is not None
        return self._in_force

    async def start(self) -> None:
        """Put what is new in the file in force, and know what is in force.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        read_automation(self._source, FILE)
        async with self._database.transaction() as connection:
            await store.lock(connection)
            if await store.newest_file_source(connection) != self._source:
                if await store.was_file_source(connection, self._source):  # the program may be the older one
                    _log.warning("an older file is in force again", file=FILE)
                await store.add_version(connection, self._source, "file", FILE, None, self._clock.now())
            await self._load(connection)

    async def follow(self) -> None:
        """Learn what another process put in force.

        Raises:
            InvalidDocument: this program cannot read it; what was in force here stays.
        """
        async with self._database.connection() as connection:
            if await store.newest_number(connection) != self.in_force.version.version:
                await self._load(connection)

    async def apply(
        self,
        connection: Connection,
        source: str,
        author: str,
        reason: str,
        seen_versions: frozenset[int] | None = None,
    ) -> bool:
        """Put rules in force; False when this text is in force already.

        Args:
            seen_versions: only while one of these is in force, or the text itself; None means whatever is.

        Raises:
            Superseded: others are in force by now.
            InvalidDocument: they cannot be used.
        """
        await asyncio.to_thread(read_automation, source, FILE)
        await store.lock(connection)
        newest = await store.newest(connection)
        if newest is not None and newest.source == source:
            return False
        check_seen(seen_versions, newest.version if newest is not None else None)
        version = await store.add_version(connection, source, "api", author, reason, self._clock.now())
        _log.info("automation in force", version=version, author=author)
        return True

    async def _load(self, connection: Connection) -> None:
        version = await store.newest(connection)
        assert version is not None  # the file was put in force at the start
        rules = await asyncio.to_thread(read_automation, version.source, f"{FILE}, version {version.version}")
        self._in_force = InForce(version, rules)
