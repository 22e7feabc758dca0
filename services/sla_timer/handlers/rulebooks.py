"""Which rulebook is in force. New versions come from files or the API; old ones serve the clocks they started.

A broken file never replaces what is in force: it is logged, counted and shown until it is mended.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from services.sla_timer.domain.rulebook import RuleSources, read_rulebook, read_stored_rulebook
from services.sla_timer.domain.rules import Rulebook
from services.sla_timer.handlers import metrics
from services.sla_timer.store import policy_versions
from services.sla_timer.store.policy_versions import PolicyVersion
from services.sla_timer.store.rollouts import order_policy_rollout
from shared.clock import Clock
from shared.errors import ConfigurationError
from shared.postgres import Connection, Database
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_MOST_VERSIONS = 1000  # a change of the rules every working day for four years
_ALARM_DAYS = 60  # holidays of the next year are published between May and early December


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """Where the rules of the house are kept."""

    policies: Path
    calendars: Path

    def signature(self) -> tuple[tuple[int, int, int], ...]:
        """Changes when a file is replaced or written; zeros while one cannot be read."""
        return _signature(self.policies), _signature(self.calendars)

    def read(self) -> RuleSources:
        """Raises:
        ConfigurationError: names the file that cannot be read.
        """
        return RuleSources(_text(self.policies), _text(self.calendars), str(self.policies), str(self.calendars))


class Rulebooks:
    """The rulebook in force and, on demand, every earlier one."""

    def __init__(self, database: Database, clock: Clock, files: RuleFiles) -> None:
        self._database = database
        self._clock = clock
        self._files = files
        self._signature: tuple[tuple[int, int, int], ...] = ()
        self._known: dict[int, Rulebook] = {}
        self._in_force: PolicyVersion | None = None
        self._trouble: str | None = None
        self._unreadable: int | None = None
        self._unusable: set[int] = set()
        self._warned_on: dict[str, object] = {}

    @property
    def in_force(self) -> PolicyVersion:
        """The version new clocks are started under; ``start`` has seen to it that there is one."""
        assert self._in_force is not None
        return self._in_force

    @property
    def current(self) -> Rulebook:
        return self._known[self.in_force.version]

    @property
    def trouble(self) -> str | None:
        """Why the rule files cannot be used; None when they can."""
        return self._trouble

    async def start(self) -> None:
        """Take the files if they say something new, else what was last in force.

        Raises:
            ConfigurationError: the files cannot be used and nothing was in force before; names file, line and field.
        """
        trouble = await self._take_files()
        await self.follow()
        if self._in_force is None:
            raise ConfigurationError(trouble or "there is no policy version")

    async def refresh(self) -> None:
        """Look for changed files, and for versions that other processes have put in force."""
        if await asyncio.to_thread(self._files.signature) != self._signature:
            await self._take_files()
        await self.follow()
        self.watch_calendars(self._clock.now())

    async def draft(self, policies: str | None, calendars: str | None) -> RuleSources:
        """What would be in force with these texts; None keeps the one that is.

        Raises:
            InvalidDocument: a text cannot be used.
        """
        await self.follow()
        sources = self.in_force.sources
        if policies is not None:
            sources = replace(sources, policies=policies, policies_file="policies.yml")
        if calendars is not None:
            sources = replace(sources, calendars=calendars, calendars_file="calendars.yml")
        await asyncio.to_thread(read_rulebook, sources)  # a text may be a megabyte long
        return sources

    async def put_in_force(
        self, sources: RuleSources, author: str, reason: str | None, *, moves_running: bool
    ) -> PolicyVersion:
        """Put checked texts in force. The same again makes no new version.

        Args:
            moves_running: whether running clocks are to follow, too.
        """
        async with self._database.transaction() as connection:
            await policy_versions.lock(connection)
            if await self._digest_in_force(connection) != sources.digest:
                await policy_versions.add(connection, sources, "api", author, self._clock.now(), reason)
            if moves_running:
                version = await policy_versions.newest(connection)
                assert version is not None
                await order_policy_rollout(connection, version, self._clock.now(), author)
        await self.follow()
        return self.in_force

    async def at(self, connection: Connection, version: int) -> Rulebook:
        """The rulebook of a version, as it was then."""
        if version not in self._known:
            stored = await policy_versions.load(connection, version)
            self._known[version] = read_stored_rulebook(stored.sources, version)
        return self._known[version]

    async def all_readable(self, connection: Connection) -> list[Rulebook]:
        """Every version that was ever in force, the newest first, without those that this program cannot read.

        The texts are read in a thread: there may be many, and timers must not wait.
        """
        versions = [
            summary.version for summary in await policy_versions.list_versions(connection, None, _MOST_VERSIONS)
        ]
        for version in versions:
            if version not in self._known and version not in self._unusable:
                stored = await policy_versions.load(connection, version)
                try:
                    self._known[version] = await asyncio.to_thread(read_stored_rulebook, stored.sources, version)
                except ConfigurationError:
                    self._unusable.add(version)
        return [self._known[version] for version in versions if version in self._known]

    def known(self, version: int) -> Rulebook:
        """The rulebook of a version that ``at`` was asked for before."""
        return self._known[version]

    async def follow(self) -> None:
        """Adopt the newest stored version."""
        async with self._database.connection() as connection:
            newest = await policy_versions.newest(connection)
            if newest is None or (self._in_force is not None and newest == self._in_force.version):
                return
            stored = await policy_versions.load(connection, newest)
            try:
                await self.at(connection, newest)
            except ConfigurationError as error:
                if self._in_force is None:
                    raise
                self._note_unreadable(newest, str(error))
                return
        self._in_force = stored
        metrics.POLICY_VERSION.set(newest)
        _log.info("policies in force", version=newest, digest=stored.sources.digest, author=stored.author)
        self._warned_on.clear()
        self.watch_calendars(self._clock.now())

    def watch_calendars(self, now: datetime) -> None:
        """Measure how long each calendar is still known, and warn once a day when that is not long."""
        if self._in_force is None:
            return
        for name in sorted(set(self.current.calendar_names.values())):
            calendar = self.current.calendars[name].calendar
            if calendar.known_until is None:
                continue
            today = now.astimezone(calendar.zone).date()
            days = (calendar.known_until - today).days
            metrics.CALENDAR_DAYS.labels(name).set(days)
            if days < _ALARM_DAYS and self._warned_on.get(name) != today:
                self._warned_on[name] = today
                _log.warning("calendar ends soon", calendar=name, known_until=str(calendar.known_until), days=days)

    async def _take_files(self) -> str | None:
        """Put the files in force if they differ from what was last taken from them; gives what is wrong with them."""
        signature = await asyncio.to_thread(self._files.signature)
        try:
            sources = await asyncio.to_thread(self._files.read)
            await asyncio.to_thread(read_rulebook, sources)
        except ConfigurationError as error:
            self._signature = signature
            self._note_trouble(str(error))
            return self._trouble
        async with self._database.transaction() as connection:
            await policy_versions.lock(connection)
            is_news = await policy_versions.newest_file_digest(connection) != sources.digest
            if is_news and await self._digest_in_force(connection) != sources.digest:
                author = self._files.policies.name
                await policy_versions.add(connection, sources, "file", author, self._clock.now())
        self._signature = signature
        self._note_trouble(None)
        return None

    async def _digest_in_force(self, connection: Connection) -> str | None:
        newest = await policy_versions.newest(connection)
        return None if newest is None else (await policy_versions.load(connection, newest)).sources.digest

    def _note_unreadable(self, version: int, detail: str) -> None:
        if version != self._unreadable:
            _log.error("stored policies cannot be used, the version before stays", version=version, detail=detail)
        self._unreadable = version

    def _note_trouble(self, trouble: str | None) -> None:
        if trouble is not None and trouble != self._trouble:
            _log.error("rule files cannot be used, the version before stays in force", detail=trouble)
        self._trouble = trouble
        metrics.RULES_BROKEN.set(trouble is not None)


def _signature(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not UTF-8 text") from None
