"""The map's fields. YAML gives text only, so that ``NA``, ``no`` and ``2026-03-02`` mean what they say."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from punctual.replay.mapping.actions import IGNORE, Actions
from punctual.replay.mapping.choices import (
    CodeChoice,
    Column,
    FromColumn,
    KindChoice,
    LanguageChoice,
    MarketChoice,
    Part,
    PriorityChoice,
    TierChoice,
)
from shared.contracts.payload import Code, CustomerTier, Instant, Priority


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError("no such encoding") from None
    return name


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("no such zone; an IANA name such as Europe/Amsterdam is needed")
    return name


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _one_character(text: str) -> str:
    if text == "\\t":
        return "\t"
    if len(text) != 1 or text in '\r\n"':
        raise ValueError("one character is needed, such as , or ; or \\t")
    return text


class Columns(Part):
    """Where the log has what every log has.

    Attributes:
        activity: several columns are joined with " / ", leaving out empty ones.
        instant: of the event; or
        instants: activity -> column, for logs with one line per case and several instants in it.
    """

    case: Column
    activity: Annotated[tuple[Column, ...], BeforeValidator(_as_list)] = ()
    instant: Column | None = None
    instants: dict[str, Column] = {}
    resource: Column | None = None

    @model_validator(mode="after")
    def _is_long_or_wide(self) -> Columns:
        is_long = bool(self.activity) and self.instant is not None
        if is_long == bool(self.instants) or bool(self.activity) != (self.instant is not None):
            raise ValueError("either activity and instant are needed, or instants (activity -> column)")
        return self


class Instants(Part):
    """How instants are written.

    Attributes:
        formats: tried in this order: ``iso``, ``epoch_seconds``, ``epoch_milliseconds`` or a pattern of strptime.
        zone: of instants without an offset.
    """

    formats: Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)] = ("iso",)
    zone: Annotated[str, AfterValidator(_known_zone)] | None = None

    @property
    def zone_info(self) -> ZoneInfo | None:
        return None if self.zone is None else ZoneInfo(self.zone)


class Filter(Part):
    """Which rows count, by one column."""

    column: Column
    only: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    without: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Filter:
        if bool(self.only) == bool(self.without):
            raise ValueError("either only or without is needed, a list of values")
        return self


class AttributeFrom(Part):
    """``as: number`` carries a number; ``code``, the default, a word made fit for codes."""

    column: Column
    as_: Literal["code", "number"] = Field("code", alias="as")


def _as_attribute(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


class RequestFields(Part):
    """What intake wants to know of a request that the log may not say."""

    kind: KindChoice
    market: MarketChoice
    language: LanguageChoice
    channel: CodeChoice
    product_line: CodeChoice | None = None
    priority: PriorityChoice = Priority.NORMAL
    attributes: dict[Code, Annotated[AttributeFrom, BeforeValidator(_as_attribute)]] = {}


class CustomerFields(Part):
    """The synthetic customer.

    Attributes:
        column: says which cases belong to the same customer; each case has its own when it is left out.
    """

    column: Column | None = None
    tier: TierChoice = CustomerTier.STANDARD


class LogMap(Part):
    """The whole map.

    Attributes:
        missing: values that mean that nothing is there.
        begins_at: moves the log so that its first event happens then; for logs whose dates mean nothing.
        unmapped: what activities do that the table does not name.
    """

    format: Literal["csv", "xes"] | None = None
    delimiter: Annotated[str, AfterValidator(_one_character)] = ","
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "utf-8"
    missing: tuple[str, ...] = ()
    begins_at: Instant | None = None
    columns: Columns
    instants: Instants = Instants()
    filters: tuple[Filter, ...] = ()
    request: RequestFields
    customer: CustomerFields = CustomerFields()
    activities: Annotated[dict[str, Actions], Field(min_length=1)]
    unmapped: Actions = (IGNORE,)

    def value_columns(self) -> list[str]:
        """The columns whose values a case needs, each once."""
        return list(dict.fromkeys(self._value_columns()))

    def needed_columns(self) -> list[str]:
        """Every column that the map names, each once."""
        columns = self.columns
        named = [columns.case, *columns.activity, columns.instant, *columns.instants.values(), columns.resource]
        named += [*(rule.column for rule in self.filters), *self._value_columns()]
        return list(dict.fromkeys(column for column in named if column is not None))

    def _value_columns(self) -> Iterator[str]:
        request, customer = self.request, self.customer
        choices = (request.kind, request.market, request.language, request.channel, request.product_line)
        for choice in (*choices, request.priority, customer.tier):
            if isinstance(choice, FromColumn):
                yield choice.column
        if customer.column is not None:
            yield customer.column
        yield from (attribute.column for attribute in request.attributes.values())
