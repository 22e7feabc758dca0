"""What channel systems remember of the calls that intake answered, and the comparison with what it kept of them."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from punctual.local.system import LocalSystem
from shared.contracts.requests import RequestSubmitted
from shared.contracts.topics import REQUESTS
from tests.acceptance.evidence import log_of, rows_of
from tests.acceptance.waiting import wait_until


@dataclass
class Told:
    """One call that was taken, with its first answer."""

    path: str
    body: dict[str, Any]
    key: str
    status: int
    answer: str


@dataclass
class Journal:
    """Attributes:
    calls: taken, in the order of their answers.
    lines: key of a line of a batch -> what it says, reference and id.
    submitted: id -> external id, of every submission taken.
    moves: id -> the entries that its moves must have made, in their order.
    statuses: of every answer, refusals included; 0 is an answer that never came.
    """

    calls: list[Told] = field(default_factory=list)
    lines: dict[str, tuple[dict[str, Any], str, str]] = field(default_factory=dict)
    submitted: dict[UUID, str] = field(default_factory=dict)
    moves: dict[UUID, list[str]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    replayed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note_status(self, status: int, *, is_replayed: bool = False) -> None:
        with self._lock:
            self.statuses[status] += 1
            self.replayed += is_replayed

    def note_submission(self, told: Told) -> dict[str, Any]:
        view: dict[str, Any] = json.loads(told.answer)
        with self._lock:
            self.calls.append(told)
            self.submitted[UUID(view["id"])] = told.body["external_id"]
        return view

    def note_move(self, told: Told, request_id: str, entry: str) -> None:
        with self._lock:
            self.calls.append(told)
            self.moves[UUID(request_id)].append(entry)

    def note_line(self, key: str, body: dict[str, Any], reference: str, request_id: str) -> None:
        """A line may be answered several times; each time it must be the same."""
        with self._lock:
            known = self.lines.setdefault(key, (body, reference, request_id))
            assert known[1:] == (reference, request_id), f"{key} was {known[1:]} and is {(reference, request_id)}"
            self.submitted[UUID(request_id)] = body["external_id"]


def discrepancies(system: LocalSystem, journal: Journal) -> list[str]:
    """Where the tables or the log differ from the journal: what was lost, doubled, or nobody was told of."""
    wait_until(lambda: not rows_of(system, "SELECT 1 FROM intake.outbox LIMIT 1"), 180, "the outbox to be published")
    return [*_in_the_tables(system, journal), *_on_the_log(system, journal)]


def _in_the_tables(system: LocalSystem, journal: Journal) -> Iterator[str]:
    stored = Counter(row["external_id"] for row in rows_of(system, "SELECT external_id FROM intake.request"))
    told = Counter(journal.submitted.values())
    yield from _compare("request", stored, told)
    entries: dict[UUID, list[str]] = defaultdict(list)
    query = (
        "SELECT request_id, type FROM intake.request_event WHERE cause IS NULL AND sequence > 1"
        " ORDER BY request_id, sequence"
    )
    for row in rows_of(system, query):
        entries[row["request_id"]].append(row["type"])
    for request_id in {*entries, *journal.moves}:
        if entries[request_id] != journal.moves.get(request_id, []):
            yield f"{request_id} has {entries[request_id]}, told were {journal.moves.get(request_id)}"


def _on_the_log(system: LocalSystem, journal: Journal) -> Iterator[str]:
    """Each entry of the history is one event, once its repeated publications count once."""
    events = log_of(system, REQUESTS)
    submitted = Counter(event.subject for event in events if isinstance(event.data, RequestSubmitted))
    yield from _compare("submission on the log", submitted, Counter(journal.submitted.keys()))
    published = Counter((event.subject, event.sequence) for event in events)
    rows = rows_of(system, "SELECT request_id, sequence FROM intake.request_event")
    yield from _compare("event", published, Counter((row["request_id"], row["sequence"]) for row in rows))


def _compare(what: str, found: Counter[Any], expected: Counter[Any]) -> Iterator[str]:
    yield from (f"{what} {name} is there {found[name]} times, and not {n}" for name, n in (expected - found).items())
    yield from (f"{what} {name} is there {n} times too often" for name, n in (found - expected).items())
