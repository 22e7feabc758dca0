"""What callers send, checked field by field. Texts that a database or a mail cannot hold are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    Strict,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from services.intake.api.examples import SUBMISSION
from services.intake.domain.bounds import MOST_ATTRIBUTES
from shared.contracts.addresses import ADDRESS_PATTERN, LONGEST_ADDRESS, is_deliverable
from shared.contracts.payload import (
    CODE_PATTERN,
    AttributeValue,
    Code,
    CustomerTier,
    Language,
    Market,
    Priority,
    RequestKind,
    is_code,
    to_utc,
)

_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_CONTROL_BUT_LINES = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
_SPACE = r" \t\r\n\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_SPACES = "".join(chr(code) for code in range(0x3001) if re.fullmatch(f"[{_SPACE}]", chr(code)))
_HAS_CONTROL = re.compile(f"[{_CONTROL}]")
_HAS_CONTROL_BUT_LINES = re.compile(f"[{_CONTROL_BUT_LINES}]")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{3,30}")

LARGEST_EXACT_NUMBER = 2**53
"""Beyond it readers of JSON begin to lose digits."""

_MOST_MEMBERS = 64


def _few(value: Any) -> Any:
    """Asked before the members are: each that is wrong or unknown is an error of its own, and a body holds 80,000."""
    if isinstance(value, dict) and len(value) > _MOST_MEMBERS:
        raise ValueError(f"has {len(value)} members; at most {_MOST_MEMBERS} are taken")
    return value


def _line(text: str) -> str:
    stripped = text.strip(_SPACES)
    if not stripped:
        raise ValueError("must not be empty")
    return _one_line(stripped)


def _one_line(text: str) -> str:
    if _HAS_CONTROL.search(text):
        raise ValueError("control characters and line breaks are not allowed")
    return text


def _prose(text: str) -> str:
    if _HAS_CONTROL_BUT_LINES.search(text):
        raise ValueError("control characters are not allowed")
    return text


def read_instant(value: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is not None and instant.tzinfo is not None:
            return to_utc(instant)
    except ValueError:
        pass
    raise ValueError("an instant with its offset is needed, such as 2026-11-22T09:30:00+08:00")


def _attribute(value: Any) -> AttributeValue:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if (
            not -LARGEST_EXACT_NUMBER <= value <= LARGEST_EXACT_NUMBER
        ):  # nor does NaN; an integer may be too long for a float
            raise ValueError("a number must lie between -2^53 and 2^53")
        return value + 0  # no negative zero: Postgres has none, so the history would not prove it
    if isinstance(value, str) and is_code(value):
        return value
    raise ValueError(
        "true, false, a number or a code is needed (letters, digits and _.:/-, at most 64); prose is not kept"
    )


def _email(text: str) -> str:
    stripped = text.strip(_SPACES)
    if not is_deliverable(stripped):
        raise ValueError("an address such as name@example.com is needed")
    return stripped


def _phone(text: str) -> str:
    stripped = text.strip(_SPACES)
    if not _PHONE.fullmatch(stripped):
        raise ValueError("a phone number such as +852 2345 6789 is needed")
    return stripped


def _exactly(value: Any) -> Any:
    """Refuses what would be taken for a number: the description says integer or number, and a text is neither."""
    if isinstance(value, str | bool):
        raise ValueError("a number is needed, not a text and not true or false")  # noqa: TRY004  pydantic's way
    return value


def _around(pattern: str) -> str:
    """The same with spaces before and after it, which are taken off; the longest length counts them."""
    return f"^[{_SPACE}]*{pattern}[{_SPACE}]*$"


def shown(**more: Any) -> Any:
    """What the description says of a type besides what can be read off it."""
    return Field(json_schema_extra=more)


Instant = Annotated[datetime, PlainValidator(read_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Attribute = Annotated[
    bool | int | float | str,
    PlainValidator(_attribute),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "boolean"},
                {"type": "number", "minimum": -LARGEST_EXACT_NUMBER, "maximum": LARGEST_EXACT_NUMBER},
                {"type": "string", "pattern": f"^{CODE_PATTERN}$"},
            ]
        }
    ),
]
Attributes = Annotated[
    dict[Code, Attribute], Field(max_length=MOST_ATTRIBUTES), BeforeValidator(_few), shown(additionalProperties=False)
]
YamlText = Annotated[bytes, WithJsonSchema({"type": "string", "minLength": 1})]
EXACT = BeforeValidator(_exactly)
Whole = Annotated[int, EXACT]
Truth = Annotated[bool, Strict()]
Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128),
    AfterValidator(_line),
    shown(pattern=_around(rf"[^{_SPACE}{_CONTROL}]([^{_CONTROL}]*[^{_SPACE}{_CONTROL}])?")),
]
Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_one_line),
    shown(pattern=f"^[^{_CONTROL}]*$"),
]
Email = Annotated[
    str,
    StringConstraints(max_length=LONGEST_ADDRESS),
    AfterValidator(_email),
    shown(pattern=_around(ADDRESS_PATTERN[1:-1])),
]
Phone = Annotated[str, AfterValidator(_phone), shown(pattern=_around(_PHONE.pattern))]
Prose = Annotated[
    str,
    StringConstraints(max_length=4000),
    AfterValidator(_prose),
    shown(pattern=f"^[^{_CONTROL_BUT_LINES}]*$"),
]


class Body(BaseModel):
    """Unknown fields are refused: a misspelt optional field would be lost without a word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _has_few_members(cls, value: Any) -> Any:
        return _few(value)


def misfits(body: Body, wrong: Mapping[str, str]) -> ValidationError:
    """What a validator of a whole body raises, so that fields are named and not the body.

    Args:
        wrong: by field what is wrong with it.
    """
    errors = [
        InitErrorDetails(type=PydanticCustomError("misfit", "{wrong}", {"wrong": message}), loc=(field,), input=body)
        for field, message in wrong.items()
    ]
    return ValidationError.from_exception_data(type(body).__name__, errors)


class CustomerBody(Body):
    id: Line = Field(description="The channel's own id of the customer", examples=["C-20981"])
    name: Line = Field(examples=["陳美玲"])
    email: Email | None = Field(None, examples=["meiling@example.com"])
    phone: Phone | None = Field(None, examples=["+852 2345 6789"])
    language: Language
    tier: CustomerTier = CustomerTier.STANDARD


class SubmitBody(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [SUBMISSION]})

    kind: RequestKind
    product_line: Code | None = None
    priority: Priority = Priority.NORMAL
    market: Market
    external_id: Line | None = Field(None, description="The channel's own id of the request")
    occurred_at: Instant | None = Field(None, description="When the customer submitted it; now if it is left out")
    description: Prose | None = Field(None, description="What people wrote; leaves this service in no event")
    attributes: Attributes = Field({}, description="Facts that policies may look at")
    customer: CustomerBody
