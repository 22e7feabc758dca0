"""What a notice waits for, and what stops it for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.notifier.domain.announcing import announce
from services.notifier.domain.notice import Notice
from services.notifier.domain.readiness import Settled, settle
from services.notifier.domain.views import Contact, RequestView
from services.notifier.domain.words import NoticeKind, NoticeState, Phase, Reason, role_audience
from tests.unit.notifier.samples import CONTACT, CUSTOMER_ID, DUE, NOW, REAL, REQUEST, ROLES, notice, submission

VIEW = RequestView(REQUEST, submission=submission(), expected_at=DUE)
READY = notice(state=NoticeState.READY, attend_at=REAL, contact_version=1, told_expected_at=DUE)


def settled(n: Notice, view: RequestView = VIEW, contact: Contact | None = CONTACT) -> Settled:
    return settle(n, view, contact, ROLES, now=NOW, real_now=REAL)


def test_a_confirmation_with_everything_it_needs_is_ready() -> None:
    after = settled(notice())
    assert after.needs_words
    assert after.notice == READY


@pytest.mark.parametrize(
    ("view", "contact", "reason"),
    [
        (RequestView(REQUEST, expected_at=DUE), None, Reason.WAITING_REQUEST),
        (VIEW, None, Reason.WAITING_CONTACT),
        (VIEW, Contact(CUSTOMER_ID), Reason.WAITING_CONTACT),
        (replace(VIEW, expected_at=None), CONTACT, Reason.WAITING_EXPECTED_TIME),
    ],
)
def test_what_is_missing_holds_a_confirmation(view: RequestView, contact: Contact | None, reason: Reason) -> None:
    after = settled(notice(), view, contact)
    assert (after.notice.state, after.notice.reason) == (NoticeState.HELD, reason)
    assert settled(after.notice, view, contact).notice is after.notice
    assert settled(after.notice).notice.state is NoticeState.READY


def test_a_confirmation_of_a_request_that_is_over_waits_for_no_expected_time() -> None:
    over = replace(VIEW, expected_at=None, outcome="paid")
    held = notice(state=NoticeState.HELD, reason=Reason.WAITING_EXPECTED_TIME)
    after = settled(held, over)
    assert (after.notice.state, after.notice.told_expected_at, after.needs_words) == (NoticeState.READY, None, True)
    assert settled(after.notice, replace(over, outcome=None)).notice.reason is Reason.WAITING_EXPECTED_TIME
    assert settled(after.notice, replace(over, expected_at=DUE)).notice.told_expected_at == DUE


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        (replace(CONTACT, email=None), Reason.NO_ADDRESS),
        (replace(CONTACT, email="a b@customer.example"), Reason.BAD_ADDRESS),
        (replace(CONTACT, email="a@customer.example\r\nRCPT TO:<b@customer.example>"), Reason.BAD_ADDRESS),
        (Contact(CUSTOMER_ID, 1, is_erased=True), Reason.ERASED),
        (Contact(CUSTOMER_ID, is_erased=True), Reason.ERASED),
    ],
)
def test_a_customer_who_cannot_be_reached_is_not_written_to(contact: Contact, reason: Reason) -> None:
    after = settled(notice(), contact=contact)
    assert (after.notice.state, after.notice.reason) == (NoticeState.SUPPRESSED, reason)
    assert after.notice.ended_at == NOW


def test_a_role_that_nobody_fills_is_reported() -> None:
    assert settled(notice(NoticeKind.BREACH, "role:nobody")).notice.reason is Reason.UNKNOWN_ROLE


@pytest.mark.parametrize("length", [1, 58, 59, 60, 64])
def test_what_became_of_a_notice_can_be_said_however_long_the_role(length: int) -> None:
    after = settled(notice(NoticeKind.BREACH, role_audience("r" * length))).notice
    assert (after.state, after.reason) == (NoticeState.SUPPRESSED, Reason.UNKNOWN_ROLE)
    _, payload = announce(VIEW, after, None, NOW)
    assert payload.audience == f"role:{'r' * min(length, 59)}"


def test_staff_are_told_without_knowing_the_customer() -> None:
    after = settled(notice(NoticeKind.BREACH, "role:head"), contact=None)
    assert (after.notice.state, after.notice.contact_version) == (NoticeState.READY, None)


def test_a_ready_notice_stays_as_it_is() -> None:
    assert settled(READY) == Settled(READY)


def test_a_new_address_or_a_new_time_needs_new_words() -> None:
    assert settled(READY, contact=replace(CONTACT, version=2)).needs_words
    later = settled(READY, replace(VIEW, expected_at=DUE + timedelta(hours=1)))
    assert later.needs_words
    assert later.notice.told_expected_at == DUE + timedelta(hours=1)


def test_a_claim_is_taken_back_until_the_body_begins() -> None:
    claimed = replace(READY, state=NoticeState.SENDING, phase=Phase.CLAIMED, attempt=1)
    new_address = replace(CONTACT, version=2)
    assert settled(claimed, contact=new_address).notice.state is NoticeState.READY
    flying = replace(claimed, phase=Phase.TRANSMITTING)
    assert settled(flying, contact=new_address) == Settled(flying)


def test_a_second_sending_keeps_its_words_but_not_against_an_erasure() -> None:
    again = replace(READY, is_resend=True, attempt=1)
    assert settled(again, contact=replace(CONTACT, version=2)) == Settled(again)
    after = settled(again, contact=Contact(CUSTOMER_ID, 1, is_erased=True)).notice
    assert (after.state, after.reason) == (NoticeState.FAILED, Reason.ERASED)
