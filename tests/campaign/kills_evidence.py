"""What a system left behind, and where it differs from what the oracle reckons."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from punctual.local.system import LocalSystem
from shared.contracts import clocks
from shared.contracts.envelope import Event, decode
from shared.contracts.payload import Payload
from shared.contracts.topics import CLOCKS, DEADLETTERS, REQUESTS
from shared.kafka import read_topic
from tests.campaign.kills_oracle import Answer, Rung, reckon
from tests.campaign.kills_told import Told

ClockKey = tuple[UUID, str, int]
"""Request, promise, cycle."""

_CLOCKS = """
SELECT request_id, objective, cycle, state, cause, started_at, due_at, ended_at, is_paused, next_at FROM sla_timer.clock
"""
_DECISIONS = """
SELECT c.request_id, c.objective, d.cycle, d.kind, d.level, d.true_at, d.recorded_at, d.withdrawn_at
FROM sla_timer.decision AS d JOIN sla_timer.clock AS c USING (clock_id, cycle) ORDER BY d.decision_id
"""
_LOST = """
SELECT count(*) FROM sla_timer.decision AS d
WHERE NOT EXISTS (SELECT FROM sla_timer.clock AS c WHERE c.clock_id = d.clock_id AND c.cycle = d.cycle)
"""
_COUNTS = """
SELECT partition, objective, state, coalesce(k.clocks, 0) AS kept, coalesce(r.clocks, 0) AS counted
FROM sla_timer.clock_count AS k
FULL JOIN (SELECT partition, objective, state, count(*) AS clocks FROM sla_timer.clock GROUP BY 1, 2, 3) AS r
    USING (partition, objective, state)
WHERE coalesce(k.clocks, 0) <> coalesce(r.clocks, 0)
"""
_TOLD = (
    "SELECT request_id, array_agg(sequence ORDER BY sequence) AS told FROM sla_timer.request_event GROUP BY request_id"
)
_KINDS: Mapping[type[Payload], str] = {
    clocks.ClockWarned: "warning",
    clocks.ClockBreached: "breach",
    clocks.ClockEscalated: "escalation",
    clocks.ClockPauseOverrun: "pause_alarm",
}


@dataclass(frozen=True)
class Difference:
    """Attributes:
    request_id: None for what concerns all.
    """

    request_id: UUID | None
    what: str


@dataclass
class Evidence:
    """Attributes:
    said: the events about clocks by request, as a receiver that drops repeats sees them.
    repeats: how many records a receiver drops.
    """

    clocks: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    told: dict[UUID, list[int]]
    wrong_counts: list[dict[str, Any]]
    lost_decisions: int
    rejections: int
    dead_letters: int
    outbox: int
    said: dict[UUID, list[Event[Payload]]] = field(default_factory=lambda: defaultdict(list))
    repeats: int = 0


def gather(system: LocalSystem) -> Evidence:
    return asyncio.run(_gather(system))


async def _gather(system: LocalSystem) -> Evidence:
    connection = await asyncpg.connect(system.admin_database_url)
    try:
        evidence = Evidence(
            clocks=[dict(row) for row in await connection.fetch(_CLOCKS)],
            decisions=[dict(row) for row in await connection.fetch(_DECISIONS)],
            told={row["request_id"]: list(row["told"]) for row in await connection.fetch(_TOLD)},
            wrong_counts=[dict(row) for row in await connection.fetch(_COUNTS)],
            lost_decisions=await connection.fetchval(_LOST),
            rejections=await connection.fetchval("SELECT count(*) FROM sla_timer.inbox_rejection"),
            dead_letters=0,
            outbox=await connection.fetchval("SELECT count(*) FROM sla_timer.outbox"),
        )
    finally:
        await connection.close()
    seen: set[UUID] = set()
    async for record in read_topic(system.kafka_bootstrap, CLOCKS.name):
        event = decode(record.key, record.value, record.headers)
        assert isinstance(event, Event)
        if event.id in seen:
            evidence.repeats += 1
        else:
            seen.add(event.id)
            evidence.said[event.subject].append(event)
    evidence.dead_letters = len([record async for record in read_topic(system.kafka_bootstrap, DEADLETTERS.name)])
    return evidence


def records_of_requests(system: LocalSystem) -> int:
    async def count() -> int:
        return len([record async for record in read_topic(system.kafka_bootstrap, REQUESTS.name)])

    return asyncio.run(count())


@dataclass
class Comparison:
    """Attributes:
    checked: decisions that were compared.
    by_earlier_news: of these, decided on what was known then, at another instant than one would say now.
    """

    differences: list[Difference] = field(default_factory=list)
    checked: int = 0
    by_earlier_news: int = 0

    def note(self, request_id: UUID | None, what: str) -> None:
        self.differences.append(Difference(request_id, what))


def compare(
    evidence: Evidence, journal: Mapping[UUID, Sequence[Told]], at: datetime, *, is_clock_steady: bool = True
) -> Comparison:
    """Args:
    journal: every request's events in the order in which they were told.
    at: an instant after the last rung.
    is_clock_steady: whether a decision must not be recorded at its own instant.
    """
    found = Comparison()
    if is_clock_steady:
        _note_early(evidence, found)
    _compare_totals(evidence, found)
    for request_id in evidence.told.keys() - journal.keys():
        found.note(request_id, "is tracked but was never submitted")
    rows: dict[UUID, dict[tuple[str, int], dict[str, Any]]] = defaultdict(dict)
    for row in evidence.clocks:
        rows[row["request_id"]][row["objective"], row["cycle"]] = row
    decided: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for decision in evidence.decisions:
        decided[decision["request_id"]].append(decision)
    for request_id, told in journal.items():
        if evidence.told.get(request_id) != [event.sequence for event in told]:
            found.note(request_id, f"heard {evidence.told.get(request_id)} of {len(told)} events")
        expected = reckon(told, at)
        _compare_clocks(request_id, told, expected, rows[request_id], found)
        _compare_decisions(request_id, told, expected, decided[request_id], found)
        _compare_said(request_id, evidence.said.get(request_id, []), decided[request_id], found)
    return found


def _note_early(evidence: Evidence, found: Comparison) -> None:
    """What is decided early is recorded at its own instant, never before it; in time means microseconds later."""
    for row in evidence.decisions:
        if row["recorded_at"] <= row["true_at"]:
            found.note(row["request_id"], f"decided early, or at the very microsecond: {row}")
    for request_id, said in evidence.said.items():
        for event in said:
            if type(event.data) in _KINDS and event.recorded_at <= event.occurred_at:
                found.note(request_id, f"said early, or at the very microsecond: {event}")


def _compare_totals(evidence: Evidence, found: Comparison) -> None:
    for row in evidence.wrong_counts:
        found.note(None, f"clock_count is wrong: {row}")
    for name in ("lost_decisions", "rejections", "dead_letters", "outbox"):
        if getattr(evidence, name):
            found.note(None, f"{name}: {getattr(evidence, name)}")


def _compare_clocks(
    request_id: UUID,
    told: Sequence[Told],
    expected: Mapping[tuple[str, int], Answer],
    rows: Mapping[tuple[str, int], Mapping[str, Any]],
    found: Comparison,
) -> None:
    for key in expected.keys() - rows.keys():
        found.note(request_id, f"{key}: there is no such clock; expected {expected[key]}")
    for key, row in rows.items():
        answer = expected.get(key)
        if answer is None:
            if not _was_known_once(key, told):
                found.note(request_id, f"{key}: no such clock ever began: {row}")
            elif (row["state"], row["cause"]) != ("cancelled", "late_news"):
                found.note(request_id, f"{key}: it never began, as late news told: {row}")
            continue
        theirs = {name: row[name] for name in ("state", "started_at", "due_at", "ended_at", "is_paused")}
        mine = {name: getattr(answer, name) for name in theirs}
        if theirs != mine or row["next_at"] is not None:
            found.note(request_id, f"{key}: the clock is {theirs}, next rung at {row['next_at']}; expected {mine}")


def _was_known_once(key: tuple[str, int], told: Sequence[Told]) -> bool:
    return any(key in reckon(told[:known], told[known - 1].recorded_at) for known in range(1, len(told) + 1))


def _compare_decisions(
    request_id: UUID,
    told: Sequence[Told],
    expected: Mapping[tuple[str, int], Answer],
    decided: Iterable[Mapping[str, Any]],
    found: Comparison,
) -> None:
    standing: dict[tuple[tuple[str, int], Rung], Mapping[str, Any]] = {}
    for row in decided:
        key, rung = (row["objective"], row["cycle"]), (row["kind"], row["level"])
        if row["withdrawn_at"] is None:
            if (key, rung) in standing:
                found.note(request_id, f"{key} {rung}: stands twice")
            standing[key, rung] = row
    wanted = {(key, rung): at for key, answer in expected.items() for rung, at in answer.rungs.items()}
    found.checked += len(wanted)
    for place in wanted.keys() - standing.keys():
        found.note(request_id, f"{place}: was not decided; expected at {wanted[place]}")
    for place in standing.keys() - wanted.keys():
        found.note(request_id, f"{place}: was decided at {standing[place]['true_at']}; not expected")
    for place in wanted.keys() & standing.keys():
        true_at = standing[place]["true_at"]
        if true_at == wanted[place]:
            continue
        if true_at in _instants(place, told):
            found.by_earlier_news += 1
        else:
            found.note(request_id, f"{place}: decided at {true_at}; expected at {wanted[place]}")


def _instants(place: tuple[tuple[str, int], Rung], told: Sequence[Told]) -> set[datetime]:
    """When a rung came, by what was known after each event: one that was decided stays when its instant moves."""
    key, rung = place
    far = told[-1].recorded_at.replace(year=9000)
    known = (reckon(told[:number], far).get(key) for number in range(1, len(told) + 1))
    return {answer.rungs[rung] for answer in known if answer is not None and rung in answer.rungs}


def _compare_said(
    request_id: UUID, said: Sequence[Event[Payload]], decided: Sequence[Mapping[str, Any]], found: Comparison
) -> None:
    sequences = [event.sequence for event in said]
    if sequences != list(range(1, len(said) + 1)):
        found.note(request_id, f"the events on {CLOCKS.name} are numbered {sequences}")
    announced: Counter[tuple[str, int, str, int, datetime]] = Counter()
    withdrawn: Counter[tuple[str, int]] = Counter()
    for event in said:
        data = event.data
        assert isinstance(data, clocks.ClockPayload)
        kind = _KINDS.get(type(data))
        if kind is not None:
            announced[data.objective, data.cycle, kind, getattr(data, "level", 1), event.occurred_at] += 1
        elif isinstance(data, clocks.ClockBreachWithdrawn):
            withdrawn[data.objective, data.cycle] += 1
    rows = Counter((d["objective"], d["cycle"], d["kind"], d["level"], d["true_at"]) for d in decided)
    for place in (announced - rows) | (rows - announced):
        found.note(request_id, f"{place}: said {announced[place]} times, decided {rows[place]} times")
    taken_back = Counter(
        (d["objective"], d["cycle"]) for d in decided if d["kind"] == "breach" and d["withdrawn_at"] is not None
    )
    if withdrawn != taken_back:
        found.note(request_id, f"breaches withdrawn: said {dict(withdrawn)}, decided {dict(taken_back)}")
