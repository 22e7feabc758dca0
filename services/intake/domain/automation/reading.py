"""Reads automation.yml. Every error names file, line and field."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum

from services.intake.domain.automation.reading_reminders import read_hours, read_reminder
from services.intake.domain.automation.reminders import Hours, ReminderRule
from services.intake.domain.automation.rules import (
    CASE_FACTS,
    AssignStep,
    CloseStep,
    OpenStep,
    RecordStep,
    Rule,
    RuleSet,
    SignalStep,
    StageStep,
    Step,
)
from shared.contracts.payload import AttributeValue, Priority, RequestKind
from shared.rules.conditions import FALSE, TRUE
from shared.rules.document import Document, Field, refusing
from shared.rules.reading import read_condition
from shared.rules.words import read_code, read_truth, read_word

FORMAT = "1"

MOST_RULES = 500
"""Each is asked whenever something happens to a request."""

MOST_STEPS = 20
"""Of one rule; a process has hardly as many stages."""

_MOST_MEMBERS = 10  # of a rule; it has five

MOST_VALUES = 100_000
"""In the whole text: two hundred in each of the most rules."""

NEXT = "next"
"""Instead of a stage: the only one that may follow."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_LARGEST_EXACT_NUMBER = 2**53  # as of attributes that the API takes


def read_automation(text: str, file: str) -> RuleSet:
    """
    Raises:
        InvalidDocument: names every wrong field.
    """
    with refusing(file):
        document = Document(text, file)
        top = document.root.members(frozenset({"format", "rules"}), frozenset({"calendars", "markets"}))
        if top["format"].text() != FORMAT:
            raise top["format"].fail(f"this program reads format {FORMAT}")
        fields = _rules(document, top["rules"])
        hours = Hours()
        with document.collecting():
            hours = read_hours(document, top)
        seen: set[str] = set()
        rules: list[Rule] = []
        reminders: list[ReminderRule] = []
        for field in fields:
            with document.collecting():
                if "remind" in field.entries():
                    reminders.append(_reminder(field, seen, has_calendars="calendars" in top))
                else:
                    rules.append(_rule(field, seen))
        document.finish()
        return RuleSet(tuple(rules), tuple(reminders), hours)


def _rules(document: Document, rules: Field) -> list[Field]:
    """The size is asked before anything else is read: aliases make a short text stand for millions of steps.

    Raises:
        InvalidDocument: names the rules that have too many steps.
    """
    if rules.count > MOST_RULES:
        raise rules.fail(f"holds {rules.count} rules; at most {MOST_RULES} are taken")
    fields = rules.items()
    for field in fields:
        with document.collecting():
            steps = field.entries().get("do") if field.is_mapping and field.count <= _MOST_MEMBERS else None
            if steps is not None and not steps.is_mapping and steps.count > MOST_STEPS:
                raise steps.fail(f"holds {steps.count} steps; at most {MOST_STEPS} are taken")
    document.finish()
    if document.size() > MOST_VALUES:
        raise document.root.fail(f"stands for more than {MOST_VALUES} values; aliases count as what they stand for")
    return fields


def _rule(field: Field, seen: set[str]) -> Rule:
    members = field.members(frozenset({"rule", "when", "do"}), frozenset({"held_back", "on"}))
    code = _new_code(members["rule"], seen)
    steps = tuple(_step(entry) for entry in members["do"].items_or_self())
    if not steps:
        raise members["do"].fail("needs at least one step")
    ends = [number for number, step in enumerate(steps) if isinstance(step, CloseStep)]
    if ends and ends[0] != len(steps) - 1:
        raise members["do"].fail("nothing can follow `close`")
    if sum(isinstance(step, OpenStep) for step in steps) > 1:
        raise members["do"].fail("a rule opens one request at most")
    return Rule(
        code=code,
        when=read_condition(members["when"], CASE_FACTS),
        steps=steps,
        held_back=members["held_back"].parse(_share) if "held_back" in members else 0.0,
        is_on=members["on"].parse(read_truth) if "on" in members else True,
    )


def _reminder(field: Field, seen: set[str], *, has_calendars: bool) -> ReminderRule:
    members = field.members(frozenset({"rule", "when", "remind"}), frozenset({"on"}))
    code = _new_code(members["rule"], seen)
    when = read_condition(members["when"], CASE_FACTS)
    is_on = members["on"].parse(read_truth) if "on" in members else True
    return read_reminder(members["remind"], code, when, is_on=is_on, has_calendars=has_calendars)


def _step(field: Field) -> Step:
    """``{stage: decision}``, ``{stage: next}``, ``{control: x, recorded: {...}}``, ``{close: paid, reason: r}``, ..."""
    entries = field.entries()
    if "control" in entries:
        members = field.members(frozenset({"control"}), frozenset({"recorded"}))
        recorded = members["recorded"].entries() if "recorded" in members else {}
        return RecordStep(members["control"].parse(read_word), {n: _value(e) for n, e in recorded.items()})
    if "close" in entries:
        members = field.members(frozenset({"close"}), frozenset({"reason"}))
        reason = members["reason"].parse(read_word) if "reason" in members else None
        return CloseStep(members["close"].parse(read_word), reason)
    if "stage" in entries:
        stage = field.members(frozenset({"stage"}))["stage"].parse(read_word)
        return StageStep(None if stage == NEXT else stage)
    if "assign" in entries:
        return AssignStep(field.members(frozenset({"assign"}))["assign"].parse(read_word))
    if "signal" in entries:
        return SignalStep(field.members(frozenset({"signal"}))["signal"].parse(read_word))
    if "open" in entries:
        members = field.members(frozenset({"open"}), frozenset({"priority"}))
        priority = Priority(_one_of(Priority, members["priority"])) if "priority" in members else Priority.NORMAL
        return OpenStep(RequestKind(_one_of(RequestKind, members["open"])), priority)
    raise field.fail("is no step; known are control, stage, close, assign, signal, open")


def _new_code(field: Field, seen: set[str]) -> str:
    code = field.parse(read_code)
    if code in seen:
        raise field.fail(f"{code} is defined twice")
    seen.add(code)
    return code


def _one_of(words: type[StrEnum], field: Field) -> str:
    text = field.text()
    if text not in set(words):
        raise field.fail(f"{text!r} is not one of {', '.join(sorted(words))}")
    return text


def _value(field: Field) -> AttributeValue:
    """A truth, a number as people write it, or a word: ``007``, ``12E5`` and ``nan`` are words."""
    text = field.text()
    if text in (TRUE, FALSE):
        return text == TRUE
    if _NUMBER.fullmatch(text) and abs(Decimal(text)) <= _LARGEST_EXACT_NUMBER:
        return (float(text) if "." in text else int(text)) + 0  # no negative zero: Postgres has none
    return field.parse(read_word)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError("must lie between 0 and 1")
    return share
