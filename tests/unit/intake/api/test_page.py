"""The status page as text: escaping, and what it says of a deadline."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.intake.api.page import tell_expected, tell_now
from services.intake.domain.changes import Closed, Paused, Reopened, Resumed, Submitted
from services.intake.domain.deadlines import Deadline, DeadlineState
from services.intake.domain.history import Change, Entry
from services.intake.domain.life import begin
from services.intake.domain.record import RequestRecord
from shared.contracts.payload import Language, Market, RequestKind
from tests.unit.intake.shipped import STATUS_PAGE, process_of

CLAIM = process_of("claim")
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
SUBMITTED = Submitted(RequestKind.CLAIM, 1, "received")
RECORD = RequestRecord(
    request_id=UUID(int=1),
    reference="K7M4Q-2XD9C",
    status_token="token",
    channel="app",
    external_id=None,
    market=Market.HONG_KONG,
    language=Language.ENGLISH,
    life=begin(SUBMITTED, NOW),
    history=(Entry(1, SUBMITTED, NOW, NOW, "app"),),
    head=None,
)
RUNNING = Deadline(UUID(int=2), UUID(int=1), "resolution", 1, due_at=NOW + timedelta(hours=8))


def drawn(*deadlines: Deadline) -> str:
    return STATUS_PAGE.draw(replace(RECORD, deadlines=deadlines), CLAIM, Language.ENGLISH, NOW)


def test_a_running_deadline_is_the_expected_time() -> None:
    assert "We expect to finish by Tuesday 24 November 2026, 5:00 pm (Hong Kong time)." in drawn(RUNNING)


def test_a_passed_one_is_an_apology_without_the_words_of_the_trade() -> None:
    page = drawn(replace(RUNNING, state=DeadlineState.BREACHED, is_warned=True, escalation_level=2))
    assert "We are sorry. This takes longer than the Tuesday 24 November 2026, 5:00 pm (Hong Kong time)" in page
    for word in ("breach", "escalat", "deadline", "warn"):
        assert word not in page.lower()


def test_without_a_deadline_it_says_that_the_time_is_being_worked_out() -> None:
    assert "We are working out the expected time" in drawn()


def test_a_pause_stops_the_expected_time_where_its_clock_says_so() -> None:
    paused = RECORD.after([Paused("customer_documents")], occurred_at=NOW, recorded_at=NOW, by="app")

    def told(*deadlines: Deadline) -> str:
        return tell_expected(replace(paused, deadlines=deadlines), STATUS_PAGE.words[Language.ENGLISH])

    assert told(replace(RUNNING, state=DeadlineState.PAUSED, due_at=None)).startswith("Our time stands still")
    assert told(RUNNING).startswith("We expect to finish by")
    assert told().startswith("We are working out")


def test_asking_for_more_while_it_waits_is_no_new_waiting() -> None:
    first, again = Paused("customer_documents", ("receipts",)), Paused("customer_documents", ("police_report",))
    ended, resumed = Closed("withdrawn"), Resumed("customer_documents")
    changes: list[Change] = [SUBMITTED, first, again, resumed, again, ended, Reopened("new_facts"), first]
    history = tuple(Entry(number, change, NOW, NOW, "app") for number, change in enumerate(changes, 1))
    page = STATUS_PAGE.draw(replace(RECORD, history=history), CLAIM, Language.ENGLISH, NOW)
    assert page.count("Waiting began.") == 3


@pytest.mark.parametrize("language", list(Language))
def test_a_reason_to_wait_without_words_is_told_as_work(language: Language) -> None:
    words = STATUS_PAGE.words[language]
    known = words.pause_reasons["third_party"]
    changes = [Paused("third_party"), Paused("survey"), Paused("lunch")]
    record = RECORD.after(changes, occurred_at=NOW, recorded_at=NOW, by="app")
    assert tell_now(record, CLAIM, words) == [known, words.unnamed.now]
    assert words.unnamed.now in STATUS_PAGE.draw(record, CLAIM, language, NOW)


def test_whatever_a_record_holds_is_escaped() -> None:
    page = STATUS_PAGE.draw(replace(RECORD, reference='<b>"&'), CLAIM, Language.ENGLISH, NOW)
    assert "<b>" not in page
    assert "&lt;b&gt;&quot;&amp;" in page


@pytest.mark.parametrize("language", list(Language))
def test_the_page_names_its_language_and_leads_to_the_others(language: Language) -> None:
    page = STATUS_PAGE.draw(RECORD, CLAIM, language, NOW)
    assert f'<html lang="{language}">' in page
    assert f'href="?lang={language}"' not in page
    assert page.count('href="?lang=') == 2
