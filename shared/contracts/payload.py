"""The base of every payload and the words they share."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

LATEST = datetime.max.replace(microsecond=999_998, tzinfo=UTC)
"""What is kept comes back as it was: the very first and the very last instant that Python writes are infinity to
Postgres' client, which gives them back without a zone."""

_EARLIEST = datetime.min.replace(microsecond=1, tzinfo=UTC)


def to_utc(instant: datetime) -> datetime:
    """An instant with an offset as it is kept.

    Raises:
        ValueError: no year from 1 to 9999 has it.
    """
    try:
        return min(max(instant.astimezone(UTC), _EARLIEST), LATEST)
    except OverflowError:
        raise ValueError("the instant lies outside the years 1 to 9999 in UTC") from None


Instant = Annotated[AwareDatetime, AfterValidator(to_utc)]
"""An instant, always UTC once parsed; text without an offset is refused."""

CODE_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}"

_CODE = re.compile(CODE_PATTERN)


def is_code(text: str) -> bool:
    """Whether events can carry it as a code; a name of a person or an address of one may be none."""
    return _CODE.fullmatch(text) is not None


Code = Annotated[str, StringConstraints(pattern=f"^{CODE_PATTERN}$")]
"""A word of a machine's vocabulary. Prose does not fit, which keeps what people wrote out of events."""

AttributeValue = bool | int | float | Code

Attributes = dict[Code, AttributeValue]


_MOST_COUNT = 2**31 - 1  # Postgres' integer
_MOST_TEXT = 500


def _check_count(number: int) -> int:
    if not 0 < number <= _MOST_COUNT:
        raise ValueError("must lie between 1 and 2147483647")
    return number


def _check_text(text: str) -> str:
    if len(text) > _MOST_TEXT:
        raise ValueError(f"must have at most {_MOST_TEXT} characters")
    return text


Count = Annotated[int, AfterValidator(_check_count)]
"""1, 2, 3, ... as stores can hold it."""

ShortText = Annotated[str, AfterValidator(_check_text)]
"""Text that a store may index."""


class Payload(BaseModel):
    """Frozen event data. Unknown fields are ignored, so that a newer producer may add some.

    Class attributes:
        TYPE: the CloudEvents type without its version, past tense.
        VERSION: raised when a change is not additive.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1

    @classmethod
    def event_type(cls) -> str:
        return f"{cls.TYPE}.v{cls.VERSION}"


class RequestKind(StrEnum):
    CLAIM = "claim"
    POLICY_SERVICE = "policy_service"
    UNDERWRITING = "underwriting"
    ENQUIRY = "enquiry"
    COMPLAINT = "complaint"


class Market(StrEnum):
    """Where the request is handled; chooses calendars and terms."""

    HONG_KONG = "HK"
    MAINLAND_CHINA = "CN"
    TAIWAN = "TW"


class Language(StrEnum):
    """The language the customer is told things in (BCP 47)."""

    TRADITIONAL_CHINESE = "zh-Hant"
    SIMPLIFIED_CHINESE = "zh-Hans"
    ENGLISH = "en"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class CustomerTier(StrEnum):
    STANDARD = "standard"
    GOLD = "gold"
    PLATINUM = "platinum"
