"""What intake tells the others: its changes as events, numbered for each subject."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from uuid import UUID

from services.intake.domain import changes, doubts
from services.intake.domain.history import Entry, change_data
from services.intake.domain.record import RequestRecord
from services.intake.domain.reminded import Reminded
from services.intake.domain.submission import Submission, status_path
from services.intake.store.submissions import Taken
from shared.contracts import casework, requests
from shared.contracts.contacts import EncryptedContactRecorded
from shared.contracts.envelope import Event
from shared.contracts.payload import Language, Market, Payload
from shared.encryption import CustomerKey
from shared.ids import new_id
from shared.telemetry.context import Trace, child

SOURCE = "/punctual/intake"

_CALL = "call"  # told always, where a history leaves it out: events with the same headers share a row of the outbox

_PAYLOADS: dict[type, type[Payload]] = {
    changes.Acknowledged: casework.RequestAcknowledged,
    changes.Assigned: requests.RequestAssigned,
    changes.StageEntered: requests.RequestStageEntered,
    changes.StageLeft: requests.RequestStageLeft,
    changes.ControlRecorded: casework.RequestControlRecorded,
    changes.Responded: requests.RequestResponded,
    changes.CustomerInformed: requests.RequestCustomerInformed,
    changes.MessageReceived: requests.RequestMessageReceived,
    changes.Noted: casework.RequestNoted,
    changes.Attached: casework.RequestAttached,
    changes.Paused: requests.RequestPaused,
    changes.DocumentsReceived: casework.RequestDocumentsReceived,
    changes.Resumed: requests.RequestResumed,
    changes.Changed: requests.RequestChanged,
    changes.Extended: requests.RequestExtended,
    changes.Signalled: requests.RequestSignalled,
    changes.Closed: requests.RequestClosed,
    changes.Reopened: requests.RequestReopened,
    changes.Cancelled: requests.RequestCancelled,
    changes.Merged: requests.RequestMerged,
    changes.Absorbed: casework.RequestAbsorbed,
    changes.Split: casework.RequestSplit,
    changes.Complained: casework.RequestComplained,
    changes.FeedbackGiven: casework.RequestFeedbackGiven,
    changes.HeldBack: casework.RequestHeldBack,
    changes.ProcessChanged: casework.RequestProcessChanged,
    doubts.Doubted: casework.RequestDoubted,
    doubts.FindingConfirmed: casework.RequestFindingConfirmed,
    doubts.FindingDismissed: casework.RequestFindingDismissed,
    Reminded: casework.RequestReminded,
}


def submission_event(submission: Submission, taken: Taken, trace: Trace) -> Event[Payload]:
    payload = requests.RequestSubmitted(
        request_id=submission.request_id,
        reference=submission.reference,
        kind=submission.kind,
        product_line=submission.product_line,
        priority=submission.priority,
        channel=submission.channel,
        market=submission.market,
        language=submission.contact.language,
        customer_id=taken.customer_id,
        customer_tier=submission.customer_tier,
        stage=submission.stage,
        attributes=dict(submission.attributes),
        status_path=status_path(submission.status_token),
        process=submission.process,
    )
    at, recorded_at = submission.submitted_at, submission.recorded_at
    return _event(submission.request_id, 1, at, recorded_at, trace, payload, submission.channel, _CALL)


def opening_event(record: RequestRecord, customer_id: UUID, trace: Trace) -> Event[Payload]:
    """The submission of a request that comes of another one."""
    (entry,) = record.history
    assert isinstance(entry.change, changes.Submitted)
    life = record.life
    payload = requests.RequestSubmitted(
        request_id=record.request_id,
        reference=record.reference,
        kind=life.kind,
        product_line=life.product_line,
        priority=life.priority,
        channel=record.channel,
        market=record.market,
        language=record.language,
        customer_id=customer_id,
        customer_tier=life.customer_tier,
        stage=life.stage,
        attributes=dict(life.attributes),
        status_path=status_path(record.status_token),
        process=life.process,
        split_from_request_id=entry.change.split_from,
        about_request_id=entry.change.about,
    )
    return _entry_event(record.request_id, entry, trace, payload)


def contact_event(
    key: CustomerKey, version: int, details: bytes, language: Language, market: Market, at: datetime, trace: Trace
) -> Event[Payload]:
    """The customer's details in full, encrypted.

    Args:
        at: when they were recorded; they became true for us then, so the instants are one.
    """
    payload = EncryptedContactRecorded(
        customer_id=key.customer_id,
        version=version,
        language=language,
        market=market,
        wrapped_key=b64encode(key.wrapped).decode(),
        details=b64encode(details).decode(),
    )
    return _event(key.customer_id, version, at, at, trace, payload)


def change_event(request_id: UUID, entry: Entry, trace: Trace) -> Event[Payload]:
    data = change_data(entry.change)
    if isinstance(entry.change, changes.Assigned):
        data["cleared"] = [name for name, given in data.items() if given is None]
    payload = _PAYLOADS[type(entry.change)].model_validate({"request_id": request_id, **data})
    return _entry_event(request_id, entry, trace, payload)


def _entry_event(request_id: UUID, entry: Entry, trace: Trace, data: Payload) -> Event[Payload]:
    at, recorded_at = entry.occurred_at, entry.recorded_at
    return _event(request_id, entry.sequence, at, recorded_at, trace, data, entry.by, entry.cause or _CALL)


def _event(
    subject: UUID,
    sequence: int,
    occurred_at: datetime,
    recorded_at: datetime,
    trace: Trace,
    data: Payload,
    author: str | None = None,
    cause: str | None = None,
) -> Event[Payload]:
    return Event(
        id=new_id(),
        source=SOURCE,
        subject=subject,
        sequence=sequence,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        correlation_id=trace.correlation_id,
        traceparent=child(trace).traceparent,
        data=data,
        author=author,
        cause=cause,
    )
