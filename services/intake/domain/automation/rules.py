"""Rules of automation as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.intake.domain.automation.reminders import Hours, ReminderRule
from services.intake.domain.process import Waiting
from shared.contracts.payload import AttributeValue, Priority, RequestKind
from shared.rules.conditions import Condition
from shared.rules.facts import STANDARD_FACTS, VOCABULARIES, Vocabulary

CYCLE, SCORE, STAYS = "cycle", "score", "stays"

_NUMBERS = frozenset(
    {
        "controls_missing",
        "controls_passed",
        "documents_missing",
        "documents_received",
        "requests_before",
        "complaints_before",
        CYCLE,
        SCORE,
        STAYS,
    }
)
_TRUTHS = dict.fromkeys(("is_complete", "is_doubted", "is_in_force"), frozenset({"true", "false"}))

CASE_FACTS = Vocabulary(
    names=frozenset(STANDARD_FACTS) | {"process", "stage", "waits_for", "state", "team"} | _TRUTHS.keys() | _NUMBERS,
    values={
        **VOCABULARIES,
        **_TRUTHS,
        "waits_for": frozenset(Waiting),
        "state": frozenset({"open", "paused"}),
    },
    numbers=_NUMBERS,
)
"""What a rule may ask besides attributes.
``is_complete``: everything that the stage asks for is there; it may ask for nothing.
``controls_passed``, ``controls_missing``: how many control points of the stage were passed and were not; optional too.
``is_in_force``: ``incident_date`` lies within ``policy_from`` and ``policy_to``; false while one of them is missing.
``documents_received``: how many different documents came.
``stays``: how often it came to its stage, 1 at first; since the last reopening only.
``waits_for``: whose turn it is at the stage, ``house`` where its process does not say.
``score``: the latest that the customer gave; a rule that asks for it looks at requests that are over, too.
``requests_before``, ``complaints_before``: of the same customer, recorded earlier, not more than a year before it was
submitted. Callers say when something was submitted, and could have everything come first.
"""


@dataclass(frozen=True, slots=True)
class RecordStep:
    """Pass a control point of the stage."""

    control: str
    recorded: Mapping[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageStep:
    """Enter a stage; None is the only one that may follow."""

    stage: str | None = None


@dataclass(frozen=True, slots=True)
class CloseStep:
    outcome: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AssignStep:
    team: str


@dataclass(frozen=True, slots=True)
class SignalStep:
    signal: str


@dataclass(frozen=True, slots=True)
class OpenStep:
    """Open a request beside this one: a complaint about it, or a part of it of another kind."""

    kind: RequestKind
    priority: Priority = Priority.NORMAL


Step = RecordStep | StageStep | CloseStep | AssignStep | SignalStep | OpenStep


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        code: its name; it stands in the history of every request that it moved.
        when: must hold.
        steps: what is done, in order; where the process forbids one, the rule does nothing. One at most opens.
        held_back: the share, 0 to 1, that is left to people although the rule applies, to see whether it is right.
        is_on: a rule that is off is only tried.
    """

    code: str
    when: Condition
    steps: tuple[Step, ...]
    held_back: float = 0.0
    is_on: bool = True

    @property
    def opens(self) -> OpenStep | None:
        """What it opens."""
        return next((step for step in self.steps if isinstance(step, OpenStep)), None)

    @property
    def ends_as(self) -> str | None:
        """The outcome that it closes requests with."""
        return next((step.outcome for step in self.steps if isinstance(step, CloseStep)), None)

    @property
    def looks_at_ended(self) -> bool:
        """Whether it is for requests that are over, too: scores come when all is done."""
        return SCORE in self.when.names()


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All of them.

    Attributes:
        rules: the first one that applies acts, then they are asked again.
        reminders: each on its own.
        hours: what they count time on.
    """

    rules: tuple[Rule, ...] = ()
    reminders: tuple[ReminderRule, ...] = ()
    hours: Hours = field(default_factory=Hours)

    def names(self) -> frozenset[str]:
        """The facts that any rule asks for, on or off."""
        conditions = [*(rule.when for rule in self.rules), *(rule.when for rule in self.reminders)]
        return frozenset().union(*(condition.names() for condition in conditions))

    @property
    def acts(self) -> bool:
        """Whether a rule that acts is on."""
        return any(rule.is_on for rule in self.rules)

    @property
    def acts_on_ended(self) -> bool:
        """Whether a rule is on that looks at requests that are over."""
        return any(rule.is_on and rule.looks_at_ended for rule in self.rules)

    @property
    def reminds(self) -> bool:
        """Whether a rule that reminds is on."""
        return any(rule.is_on for rule in self.reminders)
