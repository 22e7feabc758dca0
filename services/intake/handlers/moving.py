"""Moves a request: look at it under its lock, decide, append, tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from services.intake.domain.bounds import check_room
from services.intake.domain.branching import Branch
from services.intake.domain.changes import Changed, ControlRecorded
from services.intake.domain.deadlines import check_objective
from services.intake.domain.deciding import decide
from services.intake.domain.doubts import Doubted, likely_duplicates
from services.intake.domain.history import Change, Entry
from services.intake.domain.instants import check_ending, check_move
from services.intake.domain.life import evolve
from services.intake.domain.moves import (
    Absorb,
    Cancel,
    Close,
    Extend,
    FollowProcess,
    GiveFeedback,
    MergeInto,
    Move,
    Reopen,
)
from services.intake.domain.record import RequestRecord
from services.intake.domain.refusing import MoveRefused
from services.intake.domain.sight import names_others
from services.intake.domain.survey import BY as CUSTOMER
from services.intake.domain.survey import check_answer, given_score, last_answer
from services.intake.domain.visibility import EVERYTHING
from services.intake.handlers.acting import Acting
from services.intake.handlers.asking import Asking, ChangedMeanwhile, ProcessUnknown, RequestUnknown
from services.intake.handlers.customer_keys import CustomerErased, CustomerKeys
from services.intake.handlers.data_quality import count_judged
from services.intake.handlers.opening import open_beside
from services.intake.handlers.processes import Processes
from services.intake.handlers.validation import Validation, count_doubts
from services.intake.store.announcements import change_event
from services.intake.store.lookups import find_related
from services.intake.store.moves import add_link, find_standing, lock_request, lock_two, record_changes
from services.intake.store.personal.customers import is_customer_erased
from services.intake.store.personal.texts import add_texts, find_texts
from shared.clock import Clock
from shared.contracts.topics import REQUESTS
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from shared.telemetry.context import current_trace


class Moving:
    """Every function works inside the caller's transaction.

    They raise:
        RequestUnknown: or not the caller's.
        ChangedMeanwhile: the caller saw another version.
        InstantRefused: the instant cannot be true.
        MoveRefused: the process does not allow it, or the history is too long for it.
        TooMuch: it would have more of something than a request may.
        ObjectiveUnknown: more time for an objective without a clock.
        DataRefused: what it says of the request cannot be true.
        CustomerErased: people wrote something with it, and nothing may be kept of this customer; or it would be opened
            again for somebody who is not there any more.
    """

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        processes: Processes,
        acting: Acting,
        customer_keys: CustomerKeys,
        validation: Validation,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._processes = processes
        self._acting = acting
        self._customer_keys = customer_keys
        self._validation = validation

    async def perform(self, connection: Connection, reference: str, move: Move, asking: Asking) -> RequestRecord:
        """The request after the move."""
        record = await self._lock(connection, reference, asking)
        return await _relate(connection, record, await self._change(connection, record, move, asking), asking)

    async def follow(
        self,
        connection: Connection,
        reference: str,
        asking: Asking,
        code: str,
        version: int,
        stage: str | None,
        reason: str,
    ) -> RequestRecord:
        """Go on under another version of its process, or under the process that a new request such as this begins with.

        Raises:
            ProcessUnknown: there is no such version.
        """
        known = await self._processes.find(connection, code, version)
        if known is None:
            raise ProcessUnknown(f"there is no version {version} of process {code}")
        record = await self._lock(connection, reference, asking)
        chosen = self._processes.book.choose(record.life.kind, record.life.product_line)
        after = await self._change(connection, record, FollowProcess(known, reason, chosen.code, stage), asking)
        return await _relate(connection, record, after, asking)

    async def merge(self, connection: Connection, reference: str, into: str, asking: Asking) -> RequestRecord:
        """End one request as the same matter as another; both histories say so."""
        if into == reference:
            raise MoveRefused("merge_forbidden", "a request is not merged into itself", "into", ["any other request"])
        locked = {r.reference: r for r in await lock_two(connection, [reference, into], asking.visibility)}
        for each in (reference, into):
            if each not in locked:
                raise RequestUnknown(each)
        ending, going_on = locked[reference], locked[into]
        _check_seen(ending, asking)
        named = likely_duplicates(entry.change for entry in going_on.history)
        likely = await find_standing(connection, named) if named else named
        ended = await self._change(connection, ending, MergeInto(going_on.request_id), asking)
        if going_on.life.is_over:
            detail = f"{into}, which it would be merged into, is over: {going_on.life.ending}"
            raise MoveRefused("request_over", detail, "into", ["a request that is not over"])
        at = ended.history[-1].occurred_at
        absorbing = Asking(asking.by, asking.visibility, max(at, going_on.life.submitted_at), cause=asking.cause)
        await self._change(connection, going_on, Absorb(ending.request_id, likely), absorbing)
        await add_link(connection, ending.request_id, "merged_into", going_on.request_id)
        await add_link(connection, going_on.request_id, "absorbed", ending.request_id)
        return await self._lock(connection, reference, Asking(asking.by, asking.visibility))

    async def branch(self, connection: Connection, reference: str, branch: Branch, asking: Asking) -> RequestRecord:
        """Open a request beside another one; both histories say so. Gives the new one.

        Raises:
            CustomerErased: there is nobody any more to open it for.
            NameClash: its reference is taken; the transaction is spoilt.
        """
        origin = await self._lock(connection, reference, asking)
        check_move(branch.occurred_at, self._clock.now(), origin.life.submitted_at)
        key = await self._customer_keys.of_request(connection, origin.request_id)
        await self._change(connection, origin, branch.move, asking)
        process = self._processes.book.choose(branch.kind, branch.product_line)
        record = await open_beside(
            connection, self._outbox, origin, branch, process, key, recorded_at=self._clock.now(), by=asking.by
        )
        doubted = self._validation.examine_branch(record)
        if doubted is not None:
            record = await self._doubt(connection, record, doubted)
        opened = await self._act(connection, record)
        return replace(opened, related=await find_related(connection, opened.request_id, asking.visibility))

    async def answer_survey(
        self, connection: Connection, reference: str, score: int, text: str | None
    ) -> tuple[RequestRecord, bool]:
        """What the customer says by the link; the request after it, and False where that was said before."""
        asking = Asking(CUSTOMER, EVERYTHING, texts={"text": text} if text else {})
        record = await self._lock(connection, reference, asking)
        if given_score(record) == score and await self._was_said(connection, record, text):
            return record, False
        check_answer(record)
        return await self._change(connection, record, GiveFeedback(score), asking), True

    async def look_at(self, connection: Connection, reference: str, asking: Asking) -> RequestRecord:
        """Have rules act on a request that nothing was asked of."""
        return await self._act(connection, await self._lock(connection, reference, asking))

    async def _lock(self, connection: Connection, reference: str, asking: Asking) -> RequestRecord:
        record = await lock_request(connection, reference, asking.visibility)
        if record is None:
            raise RequestUnknown(reference)
        _check_seen(record, asking)
        return record

    async def _was_said(self, connection: Connection, record: RequestRecord, text: str | None) -> bool:
        answer = last_answer(record)
        if not text or answer is None:
            return True
        key = await self._customer_keys.of_request(connection, record.request_id)
        texts = await find_texts(connection, key, record.request_id)
        return texts.get(answer.sequence, {}).get("text") == text

    async def _change(self, connection: Connection, record: RequestRecord, move: Move, asking: Asking) -> RequestRecord:
        life, now = record.life, self._clock.now()
        # A channel's clock may have run ahead of ours when it submitted, or closed.
        occurred_at = asking.occurred_at or max(now, life.submitted_at, life.closed_at or life.submitted_at)
        check_move(occurred_at, now, life.submitted_at)
        process = await self._processes.of(connection, life.process, life.process_version)
        changes = decide(process, life, move, occurred_at)
        if not (isinstance(move, GiveFeedback) and asking.by == CUSTOMER):  # the page asks for it, for five in all
            check_room(life, move)
        if isinstance(move, Close | Cancel | MergeInto):
            check_ending(occurred_at, record.reopened_at)
        if isinstance(move, Extend):
            check_objective(record.deadlines, move.objective)
        # An erasure waits for the locks of all requests of its customer, so the answer holds until the commit.
        if isinstance(move, Reopen) and await is_customer_erased(connection, record.request_id):
            raise CustomerErased("the customer's data were erased")
        doubted = self._examine(record, changes[0], occurred_at)
        if doubted is not None:
            changes = (*changes, doubted)
        after = record.after(changes, occurred_at=occurred_at, recorded_at=now, by=asking.by, cause=asking.cause)
        entries = after.entries_since(record)
        await record_changes(connection, after, entries)
        self._database.after_commit(connection, partial(count_doubts, doubted))
        self._database.after_commit(connection, partial(count_judged, record.channel, after.life, changes))
        if asking.texts:
            key = await self._customer_keys.of_request(connection, record.request_id)
            await add_texts(connection, key, record.request_id, entries[0].sequence, asking.texts)
        await self._tell(connection, record, entries)
        return await self._act(connection, after)

    def _examine(self, record: RequestRecord, change: Change, occurred_at: datetime) -> Doubted | None:
        """What rules doubt about the request after the first change of a move; those that follow tell no facts."""
        if isinstance(change, Changed):
            return self._validation.examine_change(record, evolve(record.life, change, occurred_at))
        if isinstance(change, ControlRecorded):
            self._validation.examine_recorded(change.recorded)
        return None

    async def _doubt(self, connection: Connection, record: RequestRecord, doubted: Doubted) -> RequestRecord:
        """Put a request that was just opened into quarantine, as one is at the door."""
        first = record.history[0]
        at = max(first.occurred_at, first.recorded_at)
        after = record.after([doubted], occurred_at=at, recorded_at=first.recorded_at, by=first.by, cause="entry:1")
        entries = after.entries_since(record)
        await record_changes(connection, after, entries)
        self._database.after_commit(connection, partial(count_doubts, doubted))
        await self._tell(connection, record, entries)
        return after

    async def _tell(self, connection: Connection, record: RequestRecord, entries: Sequence[Entry]) -> None:
        trace = current_trace()
        events = [change_event(record.request_id, entry, trace) for entry in entries]
        await self._outbox.append(connection, REQUESTS, events)

    async def _act(self, connection: Connection, record: RequestRecord) -> RequestRecord:
        process = await self._processes.of(connection, record.life.process, record.life.process_version)
        return await self._acting.act(connection, record, process, self._clock.now())


async def _relate(connection: Connection, before: RequestRecord, after: RequestRecord, asking: Asking) -> RequestRecord:
    """With what rules opened beside it, as far as the caller sees that. It may be out of the caller's sight itself."""
    if not names_others(after.entries_since(before)):
        return after
    return replace(after, related=await find_related(connection, after.request_id, asking.visibility))


def _check_seen(record: RequestRecord, asking: Asking) -> None:
    version = record.life.version
    if asking.seen_versions is not None and version not in asking.seen_versions:
        raise ChangedMeanwhile(version)
