"""The words of the status page, one YAML file per language. A missing word stops the start, not a customer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from services.intake.domain.process import StageWords
from services.intake.domain.process_files import Worded
from services.intake.handlers.data_files import read_texts
from shared.contracts.payload import Language, Market, RequestKind
from shared.errors import ConfigurationError
from shared.rules.plain_yaml import UnreadableYaml, read_plain_yaml

_MIDNIGHT = 24  # the hour at which a day ends


class _Filled:
    """A sentence with places in braces that a call fills; another one would fail there, in front of a customer.

    Args:
        samples: something for each place, of the type that it is filled with.
    """

    def __init__(self, **samples: str | int) -> None:
        self._samples = samples

    def __call__(self, sentence: str) -> str:
        try:
            sentence.format(**self._samples)
        except (LookupError, ValueError, AttributeError, TypeError):
            places = ", ".join(f"{{{name}}}" for name in self._samples)
            raise ValueError(f"has only the places {places}; other braces are written twice") from None
        return sentence


_WithKind = Annotated[str, AfterValidator(_Filled(kind="claim"))]
_WithInstant = Annotated[str, AfterValidator(_Filled(instant="noon"))]
_WithScore = Annotated[str, AfterValidator(_Filled(score="satisfied"))]
_WithDocuments = Annotated[str, AfterValidator(_Filled(documents="receipts"))]
_OfInstant = Annotated[
    str,
    AfterValidator(
        _Filled(weekday="Monday", day=2, month="March", year=2026, hour=9, minute="05", period="am", zone="HKT")
    ),
]


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DayPeriod(_Words):
    """Attributes:
    until: the hour (of 24) before which the word holds.
    """

    until: Annotated[int, Field(ge=1, le=_MIDNIGHT)]
    word: str


def _whole_day(periods: tuple[DayPeriod, ...]) -> tuple[DayPeriod, ...]:
    if all(period.until != _MIDNIGHT for period in periods):
        raise ValueError(f"says no word for the hours before midnight: one has to hold until {_MIDNIGHT}")
    return periods


class FeedbackWords(_Words):
    """Attributes:
    scores: of 1 to 5.
    given: what the page says in the place of the question when it was answered.
    refused: when the request is not closed, or was answered too often.
    """

    title: str
    ask: str
    scores: Annotated[tuple[str, ...], Field(min_length=5, max_length=5)]
    text: str
    send: str
    given: _WithScore
    wrong: str
    refused: str
    back: str


class Words(_Words):
    """Whole sentences with named places, so that each language keeps its own order."""

    language: Language
    name: str
    title: _WithKind
    reference: str
    now: str
    expected: str
    so_far: str
    as_of: _WithInstant
    languages: str
    privacy: str
    nothing_to_do: str
    expected_at: _WithInstant
    expected_unknown: str
    expected_waiting: str
    overdue: _WithInstant
    closed: _WithInstant
    closed_expected: str
    responded: str
    waiting_began: str
    waiting_ended: str
    finished: str
    cancelled: _WithInstant
    merged: _WithInstant
    documents_received: str
    still_missing: _WithDocuments
    comma: str
    reopened: str
    withdrawn: str
    joined: str
    feedback: FeedbackWords
    unnamed: StageWords
    unknown_title: str
    unknown: str
    instant: _OfInstant
    weekdays: Annotated[tuple[str, ...], Field(min_length=7, max_length=7)]
    months: Annotated[tuple[str, ...], Field(min_length=12, max_length=12)]
    periods: Annotated[tuple[DayPeriod, ...], AfterValidator(_whole_day)]
    zones: dict[Market, str]
    kinds: dict[RequestKind, str]
    stages: dict[str, StageWords]
    pause_reasons: dict[str, str]
    documents: dict[str, str]


def load_words(folder: Path) -> dict[Language, Words]:
    """The words of every language, each from a file of the folder.

    Raises:
        ConfigurationError: names the file or the word that is wrong or missing.
    """
    words = {found.language: found for found in (parse_words(text, name) for name, text in read_texts(folder, "*.yml"))}
    check_words(words)
    return words


def parse_words(text: str, origin: str) -> Words:
    """Read a language's file.

    Raises:
        ConfigurationError: the message names the file and the field.
    """
    try:
        return Words.model_validate(read_plain_yaml(text)[1])
    except UnreadableYaml as error:
        raise ConfigurationError(f"{origin}, line {error.line}: not readable as YAML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ConfigurationError(f"{origin}: {field}: {first['msg']}") from None


def check_words(words: Mapping[Language, Words]) -> None:
    """Every language must have words for the same things.

    Raises:
        ConfigurationError: names the language and the missing word.
    """
    for language in Language:
        if language not in words:
            raise ConfigurationError(f"the status page has no words in {language}")
    for language, known in words.items():
        others = [other for other in words.values() if other is not known]
        lacking: dict[str, set[str]] = {
            "kinds": {kind.value for kind in RequestKind if kind not in known.kinds},
            "zones": {market.value for market in Market if market not in known.zones},
            "stages": {stage for other in others for stage in other.stages} - known.stages.keys(),
            "pause_reasons": {reason for other in others for reason in other.pause_reasons}
            - known.pause_reasons.keys(),
            "documents": {document for other in others for document in other.documents} - known.documents.keys(),
        }
        missing = [f"{part}.{word}" for part, words_ in lacking.items() for word in sorted(words_)]
        if missing:
            raise ConfigurationError(f"the status page in {language} lacks {', '.join(missing)}")


def worded(words: Mapping[Language, Words]) -> Worded:
    """What customers can be shown; every language has the same."""
    return Worded(
        stages=frozenset(stage for known in words.values() for stage in known.stages),
        pauses=frozenset(reason for known in words.values() for reason in known.pause_reasons),
    )
