"""The rules of validation: schemas say for which requests, rules say what, findings are what they said of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.intake.domain.anomalies.limits import DuplicateLimits, PlausibilityLimits, StreamLimits
from services.intake.domain.validation.comparing import Comparison
from services.intake.domain.validation.personal_names import PersonalNames
from services.intake.domain.validation.values import ValueType
from shared.contracts.payload import Market, RequestKind
from shared.rules.conditions import Condition
from shared.rules.facts import Facts


class Severity(StrEnum):
    """What becomes of a request with a finding.

    Members:
        REFUSE: it cannot be true; the answer is 422 and nothing is stored.
        DOUBT: it is taken in, marked and put into quarantine until somebody confirms or dismisses the doubt.
    """

    REFUSE = "refuse"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of one request. Holds no value, so it may be logged and stored.

    Attributes:
        field: where in the body, such as ``attributes.amount``.
        message: for people, from the file.
    """

    rule: str
    severity: Severity
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Requires:
    """The fact must be there."""

    name: str


@dataclass(frozen=True, slots=True)
class Forbids:
    """The fact must not be there."""

    name: str


@dataclass(frozen=True, slots=True)
class HasTypes:
    """Each fact that is there must have the type."""

    types: tuple[tuple[str, ValueType], ...]


@dataclass(frozen=True, slots=True)
class Must:
    """The condition must hold, once every fact it names is there.

    Attributes:
        name: the fact a finding names.
        names: of the facts; known once, because they are asked for at every request.
    """

    name: str
    condition: Condition
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.condition.names()))  # the class is frozen for all others


@dataclass(frozen=True, slots=True)
class Compares:
    """Each relation must hold between those that are there."""

    comparison: Comparison


Check = Requires | Forbids | HasTypes | Must | Compares


@dataclass(frozen=True, slots=True)
class Rule:
    """Attributes:
    code: unique within a schema; see ``Schema`` for rules of the same code.
    condition: the rule is asked only when it holds.
    """

    code: str
    severity: Severity
    message: str
    condition: Condition
    check: Check


@dataclass(frozen=True, slots=True)
class Schema:
    """Rules for some requests. Several schemas may name a request: then the rules of all of them are asked, but of
    rules with the same code only that of the last such schema, so that a product line may differ from its kind.

    Attributes:
        kinds, product_lines, markets: empty stands for all.
    """

    name: str
    rules: tuple[Rule, ...]
    kinds: frozenset[RequestKind] = frozenset()
    product_lines: frozenset[str] = frozenset()
    markets: frozenset[Market] = frozenset()

    def is_for(self, facts: Facts) -> bool:
        return (
            _names(self.kinds, facts.get("kind"))
            and _names(self.product_lines, facts.get("product_line"))
            and _names(self.markets, facts.get("market"))
        )

    def covers(self, other: Schema) -> bool:
        """Whether it is for every request that the other is for."""
        return (
            _holds_all(self.kinds, other.kinds)
            and _holds_all(self.product_lines, other.product_lines)
            and _holds_all(self.markets, other.markets)
        )


Concern = tuple[Rule, frozenset[str]]
"""A rule, and the attributes without any of which it has nothing to say; none where it may speak all the same."""

Sort = tuple[RequestKind, Market, str | None]


@dataclass(frozen=True, slots=True)
class ValidationBook:
    """All that ``validation.yml`` says.

    Attributes:
        zones: in which each market's dates are dates.
        types: of each attribute that a rule gives one.
        personal: names that no attribute may have.
        product_lines: those that schemas tell apart.
        concerns: the rules that are asked about requests of one sort, found when the first one comes: there are as
            many sorts as kinds, markets and such product lines.
    """

    zones: Mapping[Market, ZoneInfo]
    schemas: tuple[Schema, ...]
    types: Mapping[str, ValueType]
    duplicates: DuplicateLimits
    plausibility: PlausibilityLimits
    streams: StreamLimits
    personal: PersonalNames
    product_lines: frozenset[str] = field(init=False)
    concerns: dict[Sort, tuple[Concern, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        lines = frozenset[str]().union(*(schema.product_lines for schema in self.schemas))
        object.__setattr__(self, "product_lines", lines)  # the class is frozen for all others


def _names(words: frozenset[str] | frozenset[RequestKind] | frozenset[Market], value: object) -> bool:
    return not words or value in words


def _holds_all(words: frozenset[str], others: frozenset[str]) -> bool:
    return not words or (bool(others) and others <= words)
