"""Has rules act on a request after something happened to it, in the same transaction."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import Counter

from services.intake.domain.automation.deciding import BY, PAST_FACTS, Case, Past, may_act_at_first, next_action
from services.intake.domain.automation.reminding import next_look
from services.intake.domain.automation.rules import RuleSet
from services.intake.domain.changes import HeldBack
from services.intake.domain.process import Process
from services.intake.domain.record import RequestRecord
from services.intake.handlers.automations import Automations
from services.intake.store.announcements import change_event
from services.intake.store.automation import count_past
from services.intake.store.moves import record_changes
from services.intake.store.reminders import set_timers
from shared.contracts.topics import REQUESTS
from shared.outbox import Outbox
from shared.postgres import Connection
from shared.telemetry.context import current_trace

ACTED = Counter("punctual_intake_automation_total", "What rules did.", ["rule", "did"])

_NO_PAST = Past()
_MOST = 20  # actions after one move; rules that lead in a circle end here and go on at the next move


class Acting:
    """Has the rules in force act, and sets when to look for the next reminder.

    ``may_act_on`` and ``reminds_at`` say of a request that has just come what there is to be done.
    """

    def __init__(self, automations: Automations, outbox: Outbox) -> None:
        self._automations = automations
        self._outbox = outbox

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
        """The request after every rule that applies has acted. The caller holds its lock.

        Args:
            now: business time.
        """
        rules = self._automations.in_force.rules
        if rules.acts and not record.life.is_over:
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
        for _ in range(_MOST):
            action = next_action(rules, case_of(record, process, past), at)
            if action is None:
                break
            changes = (HeldBack(action.rule),) if action.is_held_back else action.changes
            after = record.after(changes, occurred_at=at, recorded_at=now, by=BY, cause=action.cause)
            entries = after.entries_since(record)
            await record_changes(connection, after, entries)
            trace = current_trace()
            events = [change_event(record.request_id, entry, trace) for entry in entries]
            await self._outbox.append(connection, REQUESTS, events)
            ACTED.labels(action.rule, "held back" if action.is_held_back else "acted").inc()
            record = after
        return record


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
