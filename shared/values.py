"""How small values are declared of which very many are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

C = TypeVar("C")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[C]) -> type[C]:
    """A dataclass that only the type checker keeps frozen: at run time that would triple what making one costs."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
