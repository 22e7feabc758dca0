"""Facts that are the same for every case or looked up in a column."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from shared.contracts.payload import Code, CustomerTier, Language, Market, Priority, RequestKind

T = TypeVar("T")

Column = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FromColumn(Part, Generic[T]):
    """A fact looked up in a column.

    Attributes:
        values: what the column says -> what it means here; the column's own words when it is empty.
        default: for values that are missing or not in the table; without one the case cannot be sent.
    """

    column: Column
    values: dict[str, T] = {}
    default: T | None = None


# Names that no field has; loading leaves them out of its messages.
_CONSTANT, _COLUMN = "<constant>", "<column>"


def _shape(value: Any) -> str:
    return _COLUMN if isinstance(value, dict | FromColumn) else _CONSTANT


KindChoice = Annotated[
    Annotated[RequestKind, Tag(_CONSTANT)] | Annotated[FromColumn[RequestKind], Tag(_COLUMN)], Discriminator(_shape)
]
MarketChoice = Annotated[
    Annotated[Market, Tag(_CONSTANT)] | Annotated[FromColumn[Market], Tag(_COLUMN)], Discriminator(_shape)
]
LanguageChoice = Annotated[
    Annotated[Language, Tag(_CONSTANT)] | Annotated[FromColumn[Language], Tag(_COLUMN)], Discriminator(_shape)
]
PriorityChoice = Annotated[
    Annotated[Priority, Tag(_CONSTANT)] | Annotated[FromColumn[Priority], Tag(_COLUMN)], Discriminator(_shape)
]
TierChoice = Annotated[
    Annotated[CustomerTier, Tag(_CONSTANT)] | Annotated[FromColumn[CustomerTier], Tag(_COLUMN)], Discriminator(_shape)
]
CodeChoice = Annotated[
    Annotated[Code, Tag(_CONSTANT)] | Annotated[FromColumn[Code], Tag(_COLUMN)], Discriminator(_shape)
]
