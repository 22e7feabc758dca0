"""What conditions may ask about, and what is known beforehand of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared.contracts.payload import AttributeValue, CustomerTier, Market, Priority, RequestKind

STANDARD_FACTS = ("kind", "market", "channel", "priority", "customer_tier", "product_line")
"""Every request has these (a product line may be missing); any other name asks for an attribute."""

VOCABULARIES: Mapping[str, frozenset[str]] = {
    "kind": frozenset(RequestKind),
    "market": frozenset(Market),
    "priority": frozenset(Priority),
    "customer_tier": frozenset(CustomerTier),
}
"""The facts whose values are known beforehand."""


class Facts(Protocol):
    def get(self, name: str) -> AttributeValue | None:
        """None when there is no fact of that name."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The facts that are no attributes.

    Attributes:
        names: of all of them.
        values: those whose values are known beforehand.
        numbers: those that are numbers; the others have no order.
    """

    names: frozenset[str] = frozenset(STANDARD_FACTS)
    values: Mapping[str, frozenset[str]] = field(default_factory=lambda: VOCABULARIES)
    numbers: frozenset[str] = frozenset()


REQUEST_FACTS = Vocabulary()
