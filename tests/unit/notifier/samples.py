"""Requests, news and notices for the notifier's unit tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from services.notifier.domain.news import News
from services.notifier.domain.notice import Facts, Key, Notice
from services.notifier.domain.request_file import RequestFile
from services.notifier.domain.roles import Role
from services.notifier.domain.views import Contact, RequestView, Submission
from services.notifier.domain.words import CUSTOMER, NoticeKind
from shared.contracts.casework import RequestReminded
from shared.contracts.clocks import ClockPayload
from shared.contracts.payload import Language, Market, Payload, RequestKind
from shared.contracts.requests import RequestSubmitted

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DUE = NOW + timedelta(hours=30)
LATER = DUE + timedelta(hours=8)
REAL = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
REQUEST = UUID(int=1)
CUSTOMER_ID = UUID(int=2)
CLOCK = UUID(int=3)
ROLES = {
    "team_lead": Role(("team-lead@insurer.example",), Language.TRADITIONAL_CHINESE),
    "head": Role(("head@insurer.example", "deputy@insurer.example"), Language.ENGLISH),
}
CONTACT = Contact(CUSTOMER_ID, 1, "陳大文", "chan@customer.example")


def submission(
    language: Language = Language.TRADITIONAL_CHINESE,
    market: Market = Market.HONG_KONG,
    kind: RequestKind = RequestKind.CLAIM,
) -> Submission:
    return Submission("K7M4Q-2XD9C", kind, language, market, CUSTOMER_ID, "/t/token", "corr-1", NOW, NOW)


def notice(kind: NoticeKind = NoticeKind.RECEIVED, audience: str = CUSTOMER, **changes: Any) -> Notice:
    facts = Facts("resolution", 1, DUE, NOW, DUE, NOW, "paid", "assessment", NOW, ("receipts",), NOW, "third_party")
    key = Key(REQUEST, 1, kind, f"{CLOCK}:1:{kind}:1", audience)
    trace = f"00-{'1' * 32}-{'2' * 16}-01"
    return Notice(UUID(int=9), key, facts, "corr-1", trace, NOW, NOW, **changes)


TOLD = RequestView(
    REQUEST, submission=submission(), expected_at=DUE, expected_cycle=1, expected_revision=1, told_expected_at=DUE
)
"""Of a customer who knows when it is expected to be finished."""


def news(data: Payload, at: datetime = NOW, sequence: int = 1) -> News:
    return News(data, sequence, at, at, "corr-1", f"00-{'1' * 32}-{'2' * 16}-01")


def submitted() -> RequestSubmitted:
    return RequestSubmitted(
        request_id=REQUEST,
        reference="K7M4Q-2XD9C",
        kind=RequestKind.CLAIM,
        channel="app",
        market=Market.HONG_KONG,
        language=Language.TRADITIONAL_CHINESE,
        customer_id=CUSTOMER_ID,
        stage="received",
        status_path="/t/token",
    )


def clock(kind: type[ClockPayload], **data: Any) -> ClockPayload:
    """A clock event with every field any kind may need; a kind takes those it knows."""
    fields = {
        "clock_id": CLOCK,
        "request_id": REQUEST,
        "reference": "K7M4Q-2XD9C",
        "objective": "resolution",
        "policy": "claim",
        "policy_version": 1,
        "started_at": NOW,
        "due_at": DUE,
        "previous_due_at": DUE,
        "budget_seconds": 100.0,
        "budget_kind": "working",
        "calendar": "hong_kong",
        "paused_at": NOW,
        "resumed_at": NOW,
        "stopped_at": NOW,
        "cancelled_at": NOW,
        "reason": "customer_documents",
        "level": 1,
        "notify_roles": ("team_lead",),
    }
    return kind(**{**fields, **data})


def reminded(number: int = 1, **data: Any) -> RequestReminded:
    fields = {
        "request_id": REQUEST,
        "rule": "stage_waits",
        "stage": "assessment",
        "stage_entry": 2,
        "number": number,
        "entered_at": NOW,
        "due_at": DUE,
        "notify_roles": ("team_lead", "head"),
    }
    return RequestReminded(**{**fields, **data})


def new_ids() -> Callable[[], UUID]:
    numbers = count(100)
    return lambda: UUID(int=next(numbers))


def open_file(*notices: Notice, view: RequestView | None = None) -> RequestFile:
    return RequestFile(view or RequestView(REQUEST), notices, now=NOW, new_id=new_ids())


def kinds(file: RequestFile) -> list[NoticeKind]:
    return [n.key.kind for n in file.notices.values()]


def only(file: RequestFile, kind: NoticeKind) -> Notice:
    (found,) = [n for n in file.notices.values() if n.key.kind is kind]
    return found
