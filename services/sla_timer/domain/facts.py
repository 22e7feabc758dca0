"""What policies may ask of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.contracts.payload import AttributeValue
from shared.contracts.requests import RequestChanged, RequestSubmitted
from shared.rules.facts import STANDARD_FACTS


@dataclass(frozen=True, slots=True)
class Facts:
    """Attributes:
    attributes: what the channel gave beside the standard facts, such as ``amount``.
    """

    kind: str
    market: str
    channel: str
    priority: str
    customer_tier: str
    product_line: str | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)

    @classmethod
    def of(cls, submitted: RequestSubmitted) -> Facts:
        return cls(
            kind=submitted.kind.value,
            market=submitted.market.value,
            channel=submitted.channel,
            priority=submitted.priority.value,
            customer_tier=submitted.customer_tier.value,
            product_line=submitted.product_line,
            attributes=submitted.attributes,
        )

    @property
    def standard(self) -> tuple[str | None, ...]:
        """The standard facts, in one order."""
        return self.kind, self.market, self.channel, self.priority, self.customer_tier, self.product_line

    def get(self, name: str) -> AttributeValue | None:
        """A standard fact or an attribute; None when the request has none of that name."""
        if name in STANDARD_FACTS:
            value: AttributeValue | None = getattr(self, name)
            return value
        return self.attributes.get(name)

    def changed(self, changes: Mapping[str, Any]) -> Facts:
        """With new values of standard facts, and of the attributes under ``attributes``."""
        standard = {name: value for name, value in changes.items() if name in STANDARD_FACTS}
        return replace(self, **standard, attributes={**self.attributes, **changes.get("attributes", {})})


def changes_of(changed: RequestChanged) -> dict[str, Any]:
    """What an event changes, as ``Facts.changed`` takes it."""
    changes = changed.model_dump(mode="json", exclude={"request_id", "reason"}, exclude_none=True)
    return {name: value for name, value in changes.items() if value != {}}
