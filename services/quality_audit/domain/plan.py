"""The sampling plan: which strata there are, at which rate each is sampled, what must be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from shared.contracts.payload import AttributeValue, Code, RequestKind

LOWEST_RATE = 0.005
"""A unit chosen more rarely than this would weigh more than 200 others, and one error would swing the figure."""

LONGEST_STRATUM = 64
"""An event tells the stratum as a code, kind and name with a point between."""

_LONGEST_NAME = LONGEST_STRATUM - max(len(kind) + 1 for kind in RequestKind)
"""A stratum with a longer name could not be told whole; what a period keeps from before this limit is cut when told."""

_HIGHEST_VERSION = 2**31 - 1  # Postgres' integer, so that no stored plan has a higher one

Rate = Annotated[float, Field(ge=LOWEST_RATE, le=1.0)]
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a request when it closes, and frozen then: later news never moves it to another stratum.

    Attributes:
        is_breached: None when no clock of its cycle had been heard of.
        attributes: only those which the plan reads.
    """

    kind: RequestKind
    outcome: str
    is_breached: bool | None
    attributes: Mapping[str, AttributeValue]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Part):
    """All that is given must hold."""

    is_breached: bool | None = None
    outcomes: frozenset[Code] | None = None
    attribute: Code | None = None
    at_least: float | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.attribute is None) != (self.at_least is None):
            raise ValueError("attribute and at_least go together")
        if self.is_breached is None and self.outcomes is None and self.attribute is None:
            raise ValueError("needs is_breached, outcomes, or attribute with at_least")
        return self

    def holds(self, facts: Facts) -> bool:
        if self.is_breached is not None and facts.is_breached is not self.is_breached:
            return False
        if self.outcomes is not None and facts.outcome not in self.outcomes:
            return False
        return self.attribute is None or self._reaches(facts.attributes.get(self.attribute))

    def _reaches(self, value: AttributeValue | None) -> bool:
        if self.at_least is None or isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return value >= self.at_least  # as it is: no float holds 10**400


class Risk(_Part):
    """One band of risk; with a request kind it makes a stratum."""

    name: Code
    when: Condition | None = None
    rate: Rate
    rates: Mapping[RequestKind, Rate] = {}
    """Kinds that are sampled at another rate."""

    @field_validator("name")
    @classmethod
    def _can_be_told(cls, name: str, info: ValidationInfo) -> str:
        """A plan that a period keeps has its say: refusing it would stop the service."""
        if len(name) > _LONGEST_NAME and not (info.context or {}).get("is_stored"):
            raise ValueError(f"has more than {_LONGEST_NAME} characters")
        return name


class Targets(_Part):
    accuracy: Share
    completeness: Share
    timeliness: Share


class Plan(_Part):
    """Versioned data; a period keeps the plan it began with."""

    version: Annotated[int, Field(ge=1, le=_HIGHEST_VERSION)]
    confidence: Annotated[float, Field(ge=0.5, lt=1.0)]
    targets: Targets
    risks: Annotated[tuple[Risk, ...], Field(min_length=1)]

    @field_validator("risks")
    @classmethod
    def _covers_everything(cls, risks: tuple[Risk, ...]) -> tuple[Risk, ...]:
        names = [risk.name for risk in risks]
        if len(set(names)) < len(names):
            raise ValueError("two risks have the same name")
        if risks[-1].when is not None:
            raise ValueError("the last risk takes what is left over, so it has no `when`")
        if any(risk.when is None for risk in risks[:-1]):
            raise ValueError("only the last risk may do without `when`; what follows such a one is never reached")
        return risks

    @property
    def attributes(self) -> frozenset[str]:
        """The request attributes that decide about a stratum."""
        return frozenset(risk.when.attribute for risk in self.risks if risk.when and risk.when.attribute)

    @property
    def risk_names(self) -> tuple[str, ...]:
        return tuple(risk.name for risk in self.risks)

    def risk_of(self, facts: Facts) -> Risk:
        """The first whose condition holds."""
        return next(risk for risk in self.risks if risk.when is None or risk.when.holds(facts))

    def rate_of(self, risk: Risk, kind: RequestKind) -> float:
        return risk.rates.get(kind, risk.rate)
