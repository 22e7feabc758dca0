"""Says reminders when they are due, and has rules that are new reach requests to which nothing happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import takewhile
from uuid import UUID

from services.intake.domain.automation.deciding import PAST_FACTS, Past
from services.intake.domain.automation.reminding import coming_reminders
from services.intake.domain.automation.rules import RuleSet
from services.intake.domain.automation.staying import BY
from services.intake.domain.history import Entry
from services.intake.domain.process import Process
from services.intake.domain.record import RequestRecord
from services.intake.domain.reminded import Reminded
from services.intake.handlers.acting import case_of, look_at_it
from services.intake.handlers.automations import Automations
from services.intake.handlers.processes import Processes
from services.intake.store.announcements import change_event
from services.intake.store.automation import count_past
from services.intake.store.lookups import read_by_ids
from services.intake.store.moves import record_changes
from services.intake.store.reminders import list_open, lock_due, lock_free, save_sweep, set_timers, take_sweep
from shared.clock import Clock
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.topics import REQUESTS
from shared.errors import ConfigurationError
from shared.outbox import Outbox
from shared.postgres import Connection
from shared.telemetry.context import current_trace
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_LATER = timedelta(hours=1)  # business time; a process that cannot be read must not hold up the requests of others


@dataclass(frozen=True, slots=True)
class Said:
    """Attributes:
    lateness: real time from when it had to be looked at.
    """

    rule: str
    lateness: timedelta


@dataclass(slots=True)
class Round:
    """What one transaction did.

    Attributes:
        looked: at so many requests.
        said: in order.
    """

    looked: int = 0
    said: list[Said] = field(default_factory=list)


class Progress(Enum):
    """Of a sweep. Waiting: for other processes to learn of the rules, or for one that is at it."""

    WAITING = auto()
    GOING = auto()
    DONE = auto()


class Reminding:
    """Every function works inside the caller's transaction."""

    def __init__(self, automations: Automations, processes: Processes, outbox: Outbox, clock: Clock) -> None:
        self._automations = automations
        self._processes = processes
        self._outbox = outbox
        self._clock = clock

    async def fire(self, connection: Connection, count: int) -> Round:
        """Say what is due, the earliest first. What was said is read from the history under the request's lock, so
        it does not matter who looks how often.
        """
        rules, now = self._automations.in_force.rules, self._clock.now()
        timers = await lock_due(connection, now, count)
        done = Round(len(timers))
        if not timers:
            return done
        records = await read_by_ids(connection, (timer.request_id for timer in timers))
        look_ats: dict[UUID, datetime | None] = {}
        events: list[Event[Payload]] = []
        for timer in timers:
            record = records[timer.request_id]
            process = await self._process_of(connection, record)
            if process is None:
                look_ats[timer.request_id] = now + _LATER
                continue
            past = await self._past_of(connection, rules, record)
            after = _remind(rules, record, process, past, now)
            entries = after.entries_since(record)
            if entries:
                await record_changes(connection, after, entries)
                trace = current_trace()
                events += (change_event(record.request_id, entry, trace) for entry in entries)
                lateness = (now - timer.look_at) / self._clock.speed
                done.said += (Said(name, lateness) for name in _rules_of(entries))
            coming = coming_reminders(rules, case_of(after, process, past))
            look_ats[timer.request_id] = coming[0].due_at if coming else None
        await self._outbox.append(connection, REQUESTS, events)
        await set_timers(connection, look_ats)
        return done

    async def sweep(self, connection: Connection, count: int, grace: timedelta) -> Progress:
        """Set the timers of some more requests by the rules in force.

        Args:
            grace: real time in which other processes learn of rules; until then what they move may miss its timer.
        """
        in_force = self._automations.in_force
        version = in_force.version.version
        if not in_force.rules.reminds:
            return Progress.DONE
        sweep = await take_sweep(connection, version, grace)
        if sweep is None or not sweep.may_go:
            return Progress.WAITING
        if sweep.is_done:
            return Progress.DONE
        open_ids = await list_open(connection, sweep.reached, count)
        free = await lock_free(connection, open_ids)
        await set_timers(connection, await self._look_ats(connection, in_force.rules, free))
        reached = [sweep.reached, *takewhile(free.__contains__, open_ids)]  # who was worked on is looked at next time
        is_done = len(open_ids) < count and len(reached) == len(open_ids) + 1
        await save_sweep(connection, version, reached[-1], is_done=is_done)
        return Progress.DONE if is_done else Progress.GOING

    async def _look_ats(
        self, connection: Connection, rules: RuleSet, request_ids: frozenset[UUID]
    ) -> Mapping[UUID, datetime | None]:
        now = self._clock.now()
        look_ats: dict[UUID, datetime | None] = {}
        for request_id, record in (await read_by_ids(connection, request_ids)).items():
            process = await self._process_of(connection, record)
            look_ats[request_id] = now + _LATER if process is None else look_at_it(rules, record, process, now)
        return look_ats

    async def _process_of(self, connection: Connection, record: RequestRecord) -> Process | None:
        try:
            return await self._processes.of(connection, record.life.process, record.life.process_version)
        except ConfigurationError as error:
            _log.warning("a request is looked at for reminders later", reference=record.reference, error=str(error))
            return None

    async def _past_of(self, connection: Connection, rules: RuleSet, record: RequestRecord) -> Past:
        if any(rule.is_on and rule.when.names() & PAST_FACTS for rule in rules.reminders):
            return await count_past(connection, record.request_id)
        return Past()


def _remind(rules: RuleSet, record: RequestRecord, process: Process, past: Past, now: datetime) -> RequestRecord:
    """The record with an entry for each reminder that is due."""
    after = record
    for coming in coming_reminders(rules, case_of(record, process, past)):
        if coming.due_at > now:
            break
        after = after.after([coming.reminded], occurred_at=now, recorded_at=now, by=BY, cause=coming.cause)
    return after


def _rules_of(entries: Iterable[Entry]) -> Iterator[str]:
    return (entry.change.rule for entry in entries if isinstance(entry.change, Reminded))
