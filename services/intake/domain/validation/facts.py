"""What rules may ask of a request that is being submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from shared.contracts.payload import AttributeValue, CustomerTier, Market, Priority, RequestKind
from shared.rules.facts import STANDARD_FACTS
from shared.values import value

_STANDARD = frozenset(STANDARD_FACTS)


@value
class SubmittedFacts:
    """Attributes:
    attributes: what the channel gave beside the standard facts, such as ``amount``.
    """

    kind: RequestKind
    market: Market
    channel: str
    priority: Priority = Priority.NORMAL
    customer_tier: CustomerTier = CustomerTier.STANDARD
    product_line: str | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)

    def get(self, name: str) -> AttributeValue | None:
        """A standard fact or an attribute; None when the request has none of that name."""
        if name in _STANDARD:
            value: AttributeValue | None = getattr(self, name)
            return value
        return self.attributes.get(name)


def field_of(name: str) -> str:
    """Where in the body of a submission the fact stands, as answers name it."""
    return name if name in STANDARD_FACTS else f"attributes.{name}"
