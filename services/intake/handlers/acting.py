"""Has rules act on a request after something happened to it, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter

from services.intake.domain.automation.deciding import PAST_FACTS, Case, Past, may_act_at_first, next_action
from services.intake.domain.automation.reminding import next_look
from services.intake.domain.automation.rules import OpenStep, RuleSet
from services.intake.domain.automation.staying import BY
from services.intake.domain.branching import Branch
from services.intake.domain.changes import HeldBack
from services.intake.domain.process import Process
from services.intake.domain.record import RequestRecord
from services.intake.handlers.automations import Automations
from services.intake.handlers.customer_keys import CustomerErased, CustomerKeys
from services.intake.handlers.opening import open_beside
from services.intake.handlers.processes import Processes
from services.intake.store.announcements import change_event
from services.intake.store.automation import count_past
from services.intake.store.moves import record_changes
from services.intake.store.reminders import set_timers
from services.intake.store.submissions import NameClash
from shared.contracts.payload import RequestKind
from shared.contracts.topics import REQUESTS
from shared.encryption import CustomerKey
from shared.ids import new_id, new_reference, new_token
from shared.outbox import Outbox
from shared.postgres import Connection, Database, savepoint
from shared.telemetry.context import current_trace
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

ACTED = Counter("punctual_intake_automation_total", "What rules did.", ["rule", "did"])

_NO_PAST = Past()
_NAMING_ATTEMPTS = 5  # as for any request: five taken names in a row say that something else is wrong


class Acting:
    """Has the rules in force act, and sets when to look for the next reminder.

    ``may_act_on`` and ``reminds_at`` say of a request that has just come what there is to be done.
    """

    def __init__(
        self,
        database: Database,
        automations: Automations,
        outbox: Outbox,
        processes: Processes,
        customer_keys: CustomerKeys,
        name_request: Callable[[], str] = new_reference,
    ) -> None:
        self._database = database
        self._automations = automations
        self._outbox = outbox
        self._processes = processes
        self._customer_keys = customer_keys
        self._name_request = name_request

    def may_act_on(self, record: RequestRecord, process: Process) -> bool:
        """Whether a rule could act on a request that has just come; what only the database knows is left open."""
        return may_act_at_first(self._automations.in_force.rules, case_of(record, process))

    def reminds_at(self, record: RequestRecord, process: Process) -> datetime | None:
        """When to look at it for a reminder, business time; None while nothing happens to it: never."""
        rules = self._automations.in_force.rules
        return look_at_it(rules, record, process, record.history[-1].recorded_at) if rules.reminds else None

    async def act(
        self, connection: Connection, record: RequestRecord, process: Process, now: datetime
    ) -> RequestRecord:
        """The request after every rule that applies has acted, once at each stage. The caller holds its lock.

        What rules open is not among its related requests: who is shown it may not see that.

        Args:
            now: business time.
        """
        rules = self._automations.in_force.rules
        if rules.acts_on_ended if record.life.is_over else rules.acts:
            record = await self._act(connection, rules, record, process, now)
        if rules.reminds:
            await set_timers(connection, {record.request_id: look_at_it(rules, record, process, now)})
        return record

    async def _act(
        self, connection: Connection, rules: RuleSet, record: RequestRecord, process: Process, now: datetime
    ) -> RequestRecord:
        asks_the_past = any(rule.is_on and rule.when.names() & PAST_FACTS for rule in rules.rules)
        past = await count_past(connection, record.request_id) if asks_the_past else Past()
        at = max(now, record.life.submitted_at)
        acted: set[tuple[str, str]] = set()
        while (action := next_action(rules, case_of(record, process, past), at, opened_id := new_id())) is not None:
            here = (action.rule, record.life.stage)
            if here in acted:  # rules led back to where it acted already
                _log.warning("rules lead in a circle", rule=action.rule, reference=record.reference)
                self._count(connection, action.rule, "stopped")
                rules = replace(rules, rules=tuple(rule for rule in rules.rules if rule.code != action.rule))
                continue
            key: CustomerKey | None = None
            if action.opens is not None:
                try:
                    key = await self._customer_keys.of_request(connection, record.request_id)
                except CustomerErased:  # there is nobody any more to open it for
                    rules = replace(rules, rules=tuple(rule for rule in rules.rules if rule.opens is None))
                    continue
            acted.add(here)
            changes = (HeldBack(action.rule),) if action.is_held_back else action.changes
            after = record.after(changes, occurred_at=at, recorded_at=now, by=BY, cause=action.cause)
            entries = after.entries_since(record)
            await record_changes(connection, after, entries)
            trace = current_trace()
            events = [change_event(record.request_id, entry, trace) for entry in entries]
            await self._outbox.append(connection, REQUESTS, events)
            self._count(connection, action.rule, "held back" if action.is_held_back else "acted")
            record = after
            if action.opens is not None and key is not None:
                await self._open(connection, record, action.opens, opened_id, key, at, now, action.cause)
        return record

    def _count(self, connection: Connection, rule: str, did: str) -> None:
        """Once it is sure to have happened."""
        self._database.after_commit(connection, ACTED.labels(rule, did).inc)

    async def _open(
        self,
        connection: Connection,
        origin: RequestRecord,
        step: OpenStep,
        request_id: UUID,
        key: CustomerKey,
        at: datetime,
        now: datetime,
        cause: str,
    ) -> None:
        """Open a request as a step says, and have the rules act on it."""
        process = self._processes.book.choose(step.kind, origin.life.product_line)
        for _ in range(_NAMING_ATTEMPTS):
            branch = Branch(
                request_id=request_id,
                reference=self._name_request(),
                status_token=new_token(),
                is_complaint=step.kind is RequestKind.COMPLAINT,
                kind=step.kind,
                product_line=origin.life.product_line,
                priority=step.priority,
                attributes={},
                description=None,
                occurred_at=at,
            )
            try:
                async with savepoint(connection):  # a name that is taken spoils no more than the try
                    opened = await open_beside(
                        connection, self._outbox, origin, branch, process, key, recorded_at=now, by=BY, cause=cause
                    )
            except NameClash:
                continue
            await self.act(connection, opened, process, now)
            return
        raise RuntimeError("no free name for the request was found")


def look_at_it(rules: RuleSet, record: RequestRecord, process: Process, now: datetime) -> datetime | None:
    """When to look for a reminder; at once where one is due already."""
    look_at = next_look(rules, case_of(record, process))
    return None if look_at is None else max(look_at, now)


def case_of(record: RequestRecord, process: Process, past: Past = _NO_PAST) -> Case:
    """The request as rules see it."""
    return Case(
        request_id=record.request_id,
        channel=record.channel,
        market=record.market.value,
        life=record.life,
        process=process,
        history=record.history,
        past=past,
    )
