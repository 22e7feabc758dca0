"""From what a channel sent to what the store takes in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from services.intake.api.answers import REPLAYED
from services.intake.api.bodies import SubmitBody
from services.intake.api.context import IDEMPOTENCY_KEY, Context
from services.intake.api.problems import data_problem, instant_problem, key_in_flight, key_reused, overloaded
from services.intake.domain.instants import InstantRefused, check_submission
from services.intake.domain.record import RequestRecord
from services.intake.domain.submission import Contact, Submission
from services.intake.domain.validation.facts import SubmittedFacts
from services.intake.handlers.offers import KeyReused, Overloaded, Settled
from services.intake.handlers.validation import DataRefused, Examined
from services.intake.store.answers import Answer, KeyInFlight, find_answer
from services.intake.store.submissions import Arrival
from shared.errors import DatabaseUnavailable
from shared.http import Problem
from shared.http.access import Principal
from shared.ids import new_id, new_salt, new_token
from shared.postgres import Database
from shared.waiting import within


class Keyed(NamedTuple):
    """An idempotency key and what it stands for."""

    key: str
    fingerprint: bytes


def submission_instant(body: SubmitBody, now: datetime) -> datetime:
    """
    Raises:
        Problem: 422, the instant cannot be true.
    """
    submitted_at = body.occurred_at or now
    try:
        check_submission(submitted_at, now)
    except InstantRefused as refused:
        raise instant_problem(refused) from None
    return submitted_at


def examine(body: SubmitBody, channel: str, context: Context, submitted_at: datetime, now: datetime) -> Examined:
    """What is to be said of the request before it is taken in.

    Raises:
        Problem: 422, what it says cannot be true.
    """
    facts = SubmittedFacts(
        kind=body.kind,
        market=body.market,
        channel=channel,
        priority=body.priority,
        customer_tier=body.customer.tier,
        product_line=body.product_line,
        attributes=body.attributes,
    )
    try:
        return context.validation.examine(
            facts,
            customer=body.customer.id,
            external_id=body.external_id,
            description=body.description,
            submitted_at=submitted_at,
            recorded_at=now,
        )
    except DataRefused as refused:
        raise data_problem(refused) from None


async def repeated(refused: Problem, channel: str, keyed: Keyed, context: Context, patience: timedelta) -> Settled:
    """What was answered when a call came first that would be refused by now.

    Rules get stricter, and a clock may be set back. What was accepted before stays accepted, and its repeat must not
    hear that nothing was stored. A call that is taken in finds that out in its transaction.

    Args:
        patience: how long to look for it, real time.

    Raises:
        Problem: the refusal; it was not accepted before.
        DatabaseUnavailable: nobody can say now.
    """
    try:
        answer = await within(patience.total_seconds(), _find(context.database, channel, keyed.key))
    except TimeoutError as error:
        raise DatabaseUnavailable(str(error)) from None
    if answer is None or answer.fingerprint != keyed.fingerprint:
        raise refused
    REPLAYED.inc()
    return Settled(answer.status, answer.body, None)


async def _find(database: Database, channel: str, key: str) -> Answer | None:
    async with database.connection() as connection:
        return await find_answer(connection, channel, key)


_FOR_WHAT_IT_SAYS = frozenset({400, 413, 422})
"""Of a refusal: what a channel sends is wrong. Others tell that it comes too early, too often or without a right."""


def tally_refusal(status: int, caller: Principal, context: Context) -> None:
    """Count a submission that is refused with this status, if that is for what it says."""
    if status in _FOR_WHAT_IT_SAYS and caller.terms is not None:
        context.validation.tally.refuse(caller.name, context.clock.now())


def make_arrival(
    record: RequestRecord, submission: Submission, examined: Examined, write: Keyed, body: str, context: Context
) -> Arrival:
    """
    Args:
        record: the submission's, of one entry or, when it is doubted, of two.
        body: the answer.
    """
    process = context.processes.book.choose(submission.kind, submission.product_line)
    return Arrival(
        submission=submission,
        history=record.history,
        key=write.key,
        fingerprint=write.fingerprint,
        status=201,
        body=body,
        portrait=examined.portrait,
        wakes_rules=context.acting.may_act_on(record, process),
        reminds_at=context.acting.reminds_at(record, process),
    )


def name_submission(
    body: SubmitBody, channel: str, context: Context, submitted_at: datetime, now: datetime
) -> Submission:
    """The request with new ids and a new reference, which may turn out to be taken."""
    process = context.processes.book.choose(body.kind, body.product_line)
    return Submission(
        request_id=new_id(),
        reference=context.name_request(),
        status_token=new_token(),
        channel=channel,
        external_id=body.external_id,
        kind=body.kind,
        process=process.code,
        process_version=process.version,
        stage=process.start,
        product_line=body.product_line,
        priority=body.priority,
        market=body.market,
        customer_tier=body.customer.tier,
        contact=Contact(
            external_id=body.customer.id,
            name=body.customer.name,
            email=body.customer.email,
            phone=body.customer.phone,
            language=body.customer.language,
        ),
        attributes=body.attributes,
        description=body.description,
        submitted_at=submitted_at,
        recorded_at=now,
        external_id_salt=None if body.external_id is None else new_salt(),
    )


def refusal(error: Exception, context: Context, key_field: str = f"header:{IDEMPOTENCY_KEY}") -> Exception:
    """What the caller is told of a request that was not taken in; errors that the application answers stay.

    Args:
        key_field: where the idempotency key stood.
    """
    match error:
        case Overloaded():
            return overloaded(context.retry_after_seconds)
        case KeyInFlight():
            return key_in_flight(context.retry_after_seconds)
        case KeyReused():
            return key_reused(key_field)
    return error
