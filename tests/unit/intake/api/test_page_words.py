"""The words, languages and instants of the status page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import services.intake
from services.intake.api.language import choose_language
from services.intake.api.local_time import format_instant
from services.intake.api.words import Words, check_words, parse_words
from shared.contracts.payload import Language, Market
from shared.errors import ConfigurationError
from tests.unit.intake.shipped import PROCESSES, WORDED

DATA = Path(services.intake.__file__).parent / "data"
FILES = {language: DATA / "status_page" / f"{language}.yml" for language in Language}
WORDS = {language: parse_words(path.read_text(encoding="utf-8"), path.name) for language, path in FILES.items()}


def test_every_shipped_stage_and_reason_to_pause_has_words() -> None:
    for process in PROCESSES.values():
        assert process.stages.keys() <= WORDED.stages
        assert {*process.pauses} <= WORDED.pauses


@pytest.mark.parametrize("language", [Language.TRADITIONAL_CHINESE, Language.SIMPLIFIED_CHINESE])
def test_the_chinese_pages_are_chinese_throughout(language: Language) -> None:
    words = WORDS[language].model_dump(exclude={"language", "name", "instant"})

    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for inner in value.values() for text in texts(inner)]
        if isinstance(value, list | tuple):
            return [text for inner in value for text in texts(inner)]
        return [value] if isinstance(value, str) else []

    for text in texts(words):
        bare = re.sub(r"\{(kind|instant|documents|score)\}", "", text)
        assert not any("a" <= character.lower() <= "z" for character in bare), text


def test_a_stage_that_one_language_lacks_stops_the_start() -> None:
    english = WORDS[Language.ENGLISH]
    more = english.model_copy(update={"stages": {**english.stages, "pondering": english.unnamed}})
    with pytest.raises(ConfigurationError, match=r"status page in zh-Hant lacks stages\.pondering"):
        check_words({**WORDS, Language.ENGLISH: more})


def test_a_missing_language_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="no words in en"):
        check_words({k: v for k, v in WORDS.items() if k is not Language.ENGLISH})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "en.yml, line 1: not readable"),
        ("a: 1", "en.yml: language: Field required"),
        ("", "en.yml: the document: "),
    ],
)
def test_a_wrong_file_of_words_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        parse_words(text, "en.yml")


def test_a_sentence_may_not_be_lost() -> None:
    document = yaml.safe_load(FILES[Language.ENGLISH].read_text(encoding="utf-8"))
    del document["overdue"]
    with pytest.raises(ConfigurationError, match="overdue"):
        parse_words(yaml.safe_dump(document), "en.yml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"overdue": "Late since {instnt}"}, "overdue: .*{instant}"),
        ({"closed": "Done {}"}, "closed: .*{instant}"),
        ({"title": "Your {kind"}, "title: .*{kind}"),
        ({"instant": "{day:x!}"}, "instant: .*{weekday}"),
        ({"periods": [{"until": 12, "word": "am"}]}, "periods: .*until 24"),
    ],
)
def test_a_sentence_that_could_not_be_filled_stops_the_start(change: dict[str, Any], message: str) -> None:
    document = yaml.safe_load(FILES[Language.ENGLISH].read_text(encoding="utf-8")) | change
    with pytest.raises(ConfigurationError, match=f"en.yml: {message}"):
        parse_words(yaml.safe_dump(document), "en.yml")


@pytest.mark.parametrize(
    ("asked", "header", "language"),
    [
        ("en", "zh-TW", "en"),
        ("fr", "zh-TW", "zh-Hant"),
        (None, "zh-TW,zh;q=0.9,en;q=0.8", "zh-Hant"),
        (None, "zh-HK", "zh-Hant"),
        (None, "zh-MO", "zh-Hant"),
        (None, "zh-Hant-HK", "zh-Hant"),
        (None, "zh-CN", "zh-Hans"),
        (None, "zh-SG", "zh-Hans"),
        (None, "zh", "zh-Hans"),
        (None, "en-GB,zh-CN;q=0.5", "en"),
        (None, "zh-CN;q=0.5, en-GB", "en"),
        (None, "fr, de;q=0.9, en;q=0.1", "en"),
        (None, "en;q=0", "zh-Hans"),
        (None, "en;q=much", "zh-Hans"),
        (None, "english", "zh-Hans"),
        (None, "*", "zh-Hans"),
        (None, None, "zh-Hans"),
    ],
)
def test_the_reader_gets_the_nearest_language(asked: str | None, header: str | None, language: str) -> None:
    assert choose_language(asked, header, Language.SIMPLIFIED_CHINESE) == language


@given(asked=st.none() | st.text(), header=st.none() | st.text())
def test_whatever_a_browser_sends_some_language_is_chosen(asked: str | None, header: str | None) -> None:
    assert choose_language(asked, header, Language.ENGLISH) in Language


@pytest.mark.parametrize(
    ("language", "market", "text"),
    [
        ("en", "HK", "Tuesday 24 November 2026, 4:30 pm (Hong Kong time)"),
        ("zh-Hant", "TW", "2026年11月24日（二）下午4:30（台北時間）"),
        ("zh-Hans", "CN", "2026年11月24日（二）下午4:30（北京时间）"),
    ],
)
def test_an_instant_is_told_in_the_markets_zone(language: Language, market: Market, text: str) -> None:
    instant = datetime(2026, 11, 24, 8, 30, 59, tzinfo=UTC)
    assert format_instant(instant, Market(market), WORDS[Language(language)]) == text


@pytest.mark.parametrize(
    ("hour", "english", "chinese"),
    [
        (0, "12:05 am", "凌晨12:05"),
        (5, "5:05 am", "凌晨5:05"),
        (6, "6:05 am", "上午6:05"),
        (12, "12:05 pm", "中午12:05"),
        (13, "1:05 pm", "下午1:05"),
        (18, "6:05 pm", "晚上6:05"),
        (23, "11:05 pm", "晚上11:05"),
    ],
)
def test_every_hour_has_its_word(hour: int, english: str, chinese: str) -> None:
    instant = datetime.fromisoformat(f"2026-11-24T{hour:02}:05:00+08:00")

    def told(words: Words) -> str:
        return format_instant(instant, Market.HONG_KONG, words)

    assert english in told(WORDS[Language.ENGLISH])
    assert chinese in told(WORDS[Language.TRADITIONAL_CHINESE])
