"""Takes the requests of a batch into hand: from the shelf or from Postgres, with the rules they need."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextvars import ContextVar
from uuid import UUID

from services.sla_timer.domain.case import Case, open_case
from services.sla_timer.domain.history import Happening
from services.sla_timer.handlers.rulebooks import Rulebooks
from services.sla_timer.store.changes import remember_heard
from services.sla_timer.store.shelf import Shelf
from services.sla_timer.store.tracked import TrackedRequest, load_requests
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.inbox import SequenceTable, Subject
from shared.postgres import Connection

INTAKE = "/punctual/intake"

_in_hand: ContextVar[dict[UUID, TrackedRequest] | None] = ContextVar("requests in hand", default=None)


class Loading:
    """Loads requests once for each transaction, and makes sure that every version of the rules they need is there."""

    def __init__(self, shelf: Shelf, rulebooks: Rulebooks) -> None:
        self._shelf = shelf
        self._rulebooks = rulebooks

    async def take(self, connection: Connection, request_ids: Iterable[UUID]) -> dict[UUID, TrackedRequest]:
        """The requests that are known; off the shelf until the transaction has committed."""
        requests = await self._shelf.take(connection, list(dict.fromkeys(request_ids)))
        await self._know_rules(connection, requests.values())
        return requests

    async def read(self, connection: Connection, request_ids: Collection[UUID]) -> list[TrackedRequest]:
        """Requests as Postgres has them, for nobody to work on yet."""
        requests = list((await load_requests(connection, request_ids)).values())
        await self._know_rules(connection, requests)
        return requests

    async def _know_rules(self, connection: Connection, requests: Iterable[TrackedRequest]) -> None:
        for version in {version for request in requests for version in _versions(request)}:
            await self._rulebooks.at(connection, version)

    def case(self, request: TrackedRequest) -> Case:
        """The request's history put together."""
        if request.case is None:
            request.case = open_case(
                request.request_id,
                request.reference,
                request.history,
                request.facts,
                request.policy_version,
                self._rulebooks.known,
            )
        return request.case


class HistorySequences:
    """What was read of intake is told by the histories, and by ``last_heard`` where an event left no entry.

    An event that leaves one costs nothing more for that. What others say is numbered in the table of the inbox, and so
    is what intake says of requests that are not tracked.
    """

    def __init__(self, loading: Loading) -> None:
        self._loading = loading
        self._others = SequenceTable()

    async def load_last(self, connection: Connection, events: Sequence[Event[Payload]]) -> dict[Subject, int]:
        requests = await self._loading.take(connection, (event.subject for event in events))
        _in_hand.set(requests)
        others = await self._others.load_last(connection, _numbered_elsewhere(events, requests))
        return others | {(INTAKE, request_id): last for request_id, last in _last_heard(events, requests).items()}

    async def store_last(self, connection: Connection, last: Mapping[Subject, int]) -> None:
        """The handler has appended to the histories; what it passed over or rejected was heard as well."""
        requests = requests_in_hand()
        _in_hand.set(None)
        others: dict[Subject, int] = {}
        ahead: list[TrackedRequest] = []
        for (source, subject), sequence in last.items():
            request = requests.get(subject) if source == INTAKE else None
            if request is None:
                others[source, subject] = sequence
            elif request.last_heard is None or request.last_sequence < sequence:
                request.last_heard = sequence
                ahead.append(request)
        await remember_heard(connection, ahead)
        await self._others.store_last(connection, others)


def requests_in_hand() -> dict[UUID, TrackedRequest]:
    """The requests that were loaded for the batch at hand; whoever begins to track one adds it."""
    requests = _in_hand.get()
    assert requests is not None  # sequences are loaded before a batch is handled
    return requests


def _numbered_elsewhere(
    events: Iterable[Event[Payload]], requests: Mapping[UUID, TrackedRequest]
) -> list[Event[Payload]]:
    """Those of other sources, and of requests that are not tracked and do not begin in the batch either."""
    begun: set[UUID] = set()
    found: list[Event[Payload]] = []
    for event in events:
        if event.source != INTAKE:
            found.append(event)
        elif event.sequence == 1:
            begun.add(event.subject)
        elif event.subject not in requests and event.subject not in begun:
            found.append(event)
    return found


def _last_heard(events: Iterable[Event[Payload]], requests: Mapping[UUID, TrackedRequest]) -> dict[UUID, int]:
    """What was heard last of each request. Where that is not known, the first news is believed to follow on it."""
    last = {request_id: request.last_sequence for request_id, request in requests.items()}
    unknown = {request_id for request_id, request in requests.items() if request.last_heard is None}
    for event in events if unknown else ():
        if event.source == INTAKE and event.subject in unknown and event.sequence > last[event.subject]:
            last[event.subject] = event.sequence - 1
            unknown.remove(event.subject)
    return last


def _versions(request: TrackedRequest) -> Iterable[int]:
    yield request.policy_version
    for entry in request.history:
        if entry.happening is Happening.POLICY_APPLIED and entry.details is not None:
            yield int(entry.details["version"])
