"""Every notice, in every language, for every market and kind of request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.notice import Facts
from services.notifier.domain.wording.dates import format_deadline, format_instant
from services.notifier.domain.wording.rendering import MissingFact, Words
from services.notifier.domain.words import NoticeKind, role_audience
from services.notifier.store.data_files import load_wording
from shared.contracts.payload import Language, Market, RequestKind
from tests.unit.intake.shipped import PROCESSES
from tests.unit.notifier.samples import DUE, NOW, notice, submission

EN, HANT, HANS = Language.ENGLISH, Language.TRADITIONAL_CHINESE, Language.SIMPLIFIED_CHINESE
HK, CN, TW = Market.HONG_KONG, Market.MAINLAND_CHINA, Market.TAIWAN
WORDING = load_wording("https://status.insurer.example/")
OUTCOMES = ("paid", "declined", "withdrawn", "done", "accepted", "answered", "upheld", "rejected", "of_a_later_version")
STAGES = sorted({stage for process in PROCESSES.values() for stage in process.stages})
NAME = "Ng Siu Ming"

SIMPLIFIED = set(
    "们这为会来时对说国过还进发现关门问间车东书长马见页风飞请处办预计编证码务热线诉赔偿单变询结论银资讯级确记录数网邮"
)
TRADITIONAL = set(
    "們這為會來時對說國過還進發現關門問間車東書長馬見頁風飛請處辦預計編證碼務熱線訴賠償單變詢結論銀資訊級確記錄數網郵"
)


def rendered(
    kind: NoticeKind,
    language: Language,
    market: Market = HK,
    request: RequestKind = RequestKind.CLAIM,
    outcome: str = "paid",
    stage: str = "assessment",
    documents: tuple[str, ...] = ("receipts", "medical_report"),
) -> Words:
    facts = Facts("resolution", 2, DUE, NOW, DUE, NOW, outcome, stage, NOW, documents, NOW, "third_party")
    planned = notice(kind, told_expected_at=DUE)
    return WORDING.render(
        type(planned)(planned.notice_id, planned.key, facts, "c", "t", NOW, NOW, told_expected_at=DUE),
        submission(language, market, request),
        language,
        NAME,
    )


def everything(language: Language) -> str:
    parts = []
    for kind, market, request in product(NoticeKind, Market, RequestKind):
        words = rendered(kind, language, market, request)
        parts += [words.subject, words.text, words.html]
    for market, request, outcome in product(Market, RequestKind, OUTCOMES):
        words = rendered(NoticeKind.CLOSED, language, market, request, outcome)
        parts += [words.subject, words.text, words.html]
    for stage in STAGES:
        words = rendered(NoticeKind.REMINDER, language, stage=stage)
        parts += [words.subject, words.text, words.html]
    return "\n".join(parts)


def test_traditional_chinese_has_no_simplified_character() -> None:
    text = everything(HANT)
    assert SIMPLIFIED.isdisjoint(text)
    assert TRADITIONAL & set(text)
    text.encode("big5")  # holds no character that exists in simplified Chinese only


def test_simplified_chinese_has_no_traditional_character() -> None:
    text = everything(HANS)
    assert TRADITIONAL.isdisjoint(text)
    assert SIMPLIFIED & set(text)
    text.encode("gb2312")  # holds no character that exists in traditional Chinese only


def test_english_is_plain_ascii() -> None:
    assert everything(EN).isascii()


@pytest.mark.parametrize("language", Language)
def test_every_notice_says_what_it_must(language: Language) -> None:
    for market in Market:
        deadline = format_deadline(DUE, language, market)
        for kind in (NoticeKind.RECEIVED, NoticeKind.EXPECTED_TIME_CHANGED):
            words = rendered(kind, language, market)
            for body in (words.text, words.html):
                assert deadline in body
                assert "K7M4Q-2XD9C" in body
                assert "https://status.insurer.example/t/token" in body
                assert NAME in body
            assert "K7M4Q-2XD9C" in words.subject


@pytest.mark.parametrize(
    ("language", "named"),
    [(EN, "medical report, X ray"), (HANT, "醫療報告、X ray"), (HANS, "医疗报告、X ray")],
)
def test_documents_are_named_and_those_without_a_word_by_their_code(language: Language, named: str) -> None:
    words = rendered(NoticeKind.DOCUMENTS_NEEDED, language, documents=("medical_report", "X_ray"))
    assert named in words.text
    assert named in words.html


@pytest.mark.parametrize(("language", "expected"), [(EN, "expect"), (HANT, "預計"), (HANS, "预计")])
@pytest.mark.parametrize("market", Market)
def test_asking_for_documents_promises_nothing_of_the_time(language: Language, expected: str, market: Market) -> None:
    assert expected not in rendered(NoticeKind.DOCUMENTS_NEEDED, language, market).text


def test_asking_for_no_documents_is_never_put_into_words() -> None:
    with pytest.raises(MissingFact, match="documents"):
        rendered(NoticeKind.DOCUMENTS_NEEDED, EN, documents=())


def test_subjects_hold_no_name() -> None:
    for kind, language in product(NoticeKind, Language):
        assert NAME not in rendered(kind, language).subject


def test_customers_never_read_the_words_of_the_house() -> None:
    for kind in (NoticeKind.RECEIVED, NoticeKind.EXPECTED_TIME_CHANGED, NoticeKind.CLOSED):
        text = rendered(kind, EN).text.lower()
        assert "breach" not in text
        assert "escalat" not in text


def test_words_follow_the_market_and_not_only_the_script() -> None:
    assert "索償" in rendered(NoticeKind.RECEIVED, HANT, HK).subject
    assert "理賠" in rendered(NoticeKind.RECEIVED, HANT, TW).subject
    assert "受理編號" in rendered(NoticeKind.RECEIVED, HANT, TW).text
    assert "办结" in rendered(NoticeKind.RECEIVED, HANS, CN).text


def test_an_outcome_is_told_in_the_words_of_its_kind() -> None:
    claim = rendered(NoticeKind.CLOSED, EN, outcome="declined")
    change = rendered(NoticeKind.CLOSED, EN, request=RequestKind.POLICY_SERVICE, outcome="declined")
    assert "Your claim was declined" in claim.text
    assert "It could not be accepted" in change.text
    assert "Result: Completed" in rendered(NoticeKind.CLOSED, EN, outcome="of_a_later_version").text


def test_whoever_is_told_the_end_is_asked_how_it_went_and_nobody_else() -> None:
    asked = {EN: "How did it go?", HANT: "是否滿意", HANS: "是否满意"}
    for language, (kind, sentence) in product(Language, product(NoticeKind, asked.values())):
        is_asked = kind is NoticeKind.CLOSED and sentence == asked[language]
        assert (sentence in rendered(kind, language).text) == is_asked


def test_an_objective_of_a_policy_of_its_own_is_shown_as_written() -> None:
    planned = notice(NoticeKind.BREACH, role_audience("head"))
    facts = Facts(objective="next_update", due_at=DUE)
    own = type(planned)(planned.notice_id, planned.key, facts, "c", "t", NOW, NOW)
    assert "next_update" in WORDING.render(own, submission(EN), EN, "").subject


def test_a_hole_is_never_sent() -> None:
    with pytest.raises(MissingFact, match="expected_time_changed has no expected_by"):
        WORDING.render(notice(NoticeKind.EXPECTED_TIME_CHANGED), submission(EN), EN, NAME)


@pytest.mark.parametrize("language", Language)
def test_a_time_that_is_not_known_is_left_out_with_its_label(language: Language) -> None:
    whole = WORDING.render(notice(told_expected_at=DUE), submission(language), language, NAME)
    bare = WORDING.render(notice(), submission(language), language, NAME)
    deadline = format_deadline(DUE, language, HK)
    (line,) = [line for line in whole.text.splitlines() if deadline in line]
    assert bare.text.splitlines() == [each for each in whole.text.splitlines() if each != line]
    assert deadline not in bare.html
    changed = notice(NoticeKind.EXPECTED_TIME_CHANGED, told_expected_at=DUE)
    first = replace(changed, facts=replace(changed.facts, previous_expected_at=None))
    lines = [WORDING.render(each, submission(language), language, NAME).text.splitlines() for each in (changed, first)]
    assert len(lines[0]) == len(lines[1]) + 1


def test_what_a_customer_calls_himself_cannot_become_markup_or_lines() -> None:
    words = WORDING.render(notice(told_expected_at=DUE), submission(EN), EN, "<b>A</b>\r\n\r\nB & ${reference}")
    assert "Dear <b>A</b> B & ${reference}," in words.text
    assert "Dear &lt;b&gt;A&lt;/b&gt; B &amp; ${reference}," in words.html


def test_an_hour_is_told_with_its_zone() -> None:
    instant = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    assert format_instant(instant, EN, HK) == "Monday 30 November 2026, 16:00 (Hong Kong time)"
    assert format_instant(instant, HANT, TW) == "2026年11月30日（星期一）16:00（台北時間）"
    assert format_instant(instant, HANS, CN) == "2026年11月30日（星期一）16:00（北京时间）"


def test_the_day_is_the_one_of_the_market() -> None:
    assert format_instant(datetime(2026, 12, 31, 16, 0, tzinfo=UTC), HANS, CN).startswith("2027年1月1日（星期五）00:00")


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_deadline_is_never_told_earlier_than_it_is(instant: datetime) -> None:
    said = datetime.strptime(format_deadline(instant, EN, HK), "%A %d %B %Y, %H:%M (Hong Kong time)")  # noqa: DTZ007
    late = (said - instant.replace(tzinfo=None)).total_seconds() - 8 * 3600
    assert 0 <= late < 60


@pytest.mark.parametrize(("language", "says"), [(EN, "final check"), (HANT, "最後覆核"), (HANS, "最后复核")])
def test_a_reminder_names_the_stage_in_words_and_one_of_an_own_process_as_it_is_written(
    language: Language, says: str
) -> None:
    assert says in rendered(NoticeKind.REMINDER, language, stage="done_check").subject
    assert "tasting" in rendered(NoticeKind.REMINDER, language, stage="tasting").text
    for stage in STAGES:
        shown = rendered(NoticeKind.REMINDER, language, stage=stage).subject
        assert language is EN or stage not in shown


def test_a_pause_that_lasts_too_long_says_since_when_and_for_what_it_waits() -> None:
    words = rendered(NoticeKind.PAUSE_OVERRUN, EN)
    assert "Waits for: a third party" in words.text
    assert "Paused since: Tuesday 24 November 2026, 17:00 (Hong Kong time)" in words.text
    assert NAME not in words.text + words.html + words.subject


def test_a_reminder_says_since_when_it_waits_and_nothing_of_a_person() -> None:
    words = rendered(NoticeKind.REMINDER, EN)
    assert "Waiting since: Tuesday 24 November 2026, 17:00 (Hong Kong time)" in words.text
    assert NAME not in words.text + words.html + words.subject
