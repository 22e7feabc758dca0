"""From what a channel sent to what the store takes in."""

from __future__ import annotations

from datetime import datetime

from services.intake.api.bodies import SubmitBody
from services.intake.api.context import Context
from services.intake.api.problems import instant_problem, key_in_flight, key_reused, overloaded
from services.intake.domain.instants import InstantRefused, check_submission
from services.intake.domain.submission import Contact, Submission
from services.intake.handlers.offers import KeyReused, Overloaded
from services.intake.store.answers import KeyInFlight
from shared.ids import new_id, new_token


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
        customer_id=new_id(),
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
    )


def refusal(error: Exception, context: Context) -> Exception:
    """What the caller is told of a request that was not taken in; errors that the application answers stay."""
    match error:
        case Overloaded():
            return overloaded(context.retry_after_seconds)
        case KeyInFlight():
            return key_in_flight(context.retry_after_seconds)
        case KeyReused():
            return key_reused()
    return error
