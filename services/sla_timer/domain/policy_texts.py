"""Conditions and ladders as a policy would write them, on one line."""

from __future__ import annotations

import json
from collections.abc import Iterable

from services.sla_timer.domain.rules import LongestPause, Rung, RungKind
from shared.rules.conditions import AllOf, Among, AnyOf, Between, Condition, Known, Like, Not, as_text
from shared.rules.reading import ATTRIBUTE
from shared.rules.spans import write_span

_OTHER_MEANINGS = frozenset({"all", "any", "not"})


def write_condition(condition: Condition) -> str:
    """The inside of a mapping that reads back as an equivalent condition; nothing when it always holds."""
    match condition:
        case AllOf(parts=parts):
            texts = [write_condition(part) for part in parts]
            names = [text.partition(": ")[0] for text in texts]
            if len({*names}) == len(names) and not any(isinstance(part, AllOf) for part in parts):
                return ", ".join(texts)
            return f"all: [{_mappings(parts)}]"
        case AnyOf(parts=parts):
            return f"any: [{_mappings(parts)}]"
        case Not(part=Known(name=name)):
            return f"{_name(name)}: {{known: false}}"
        case Not(part=part):
            return f"not: {{{write_condition(part)}}}"
        case Among(name=name, values=values):
            words = [_word(value) for value in sorted(values)]
            return f"{_name(name)}: {words[0] if len(words) == 1 else _list(words)}"
        case Between(name=name):
            return f"{_name(name)}: {{{_bounds(condition)}}}"
        case Like(name=name, pattern=pattern):
            return f"{_name(name)}: {{like: {json.dumps(pattern.pattern)}}}"
        case Known(name=name):
            return f"{_name(name)}: {{known: true}}"
        case _:
            raise TypeError(f"unknown condition {type(condition).__name__}")


def write_rung(rung: Rung) -> str:
    """Without its kind and level."""
    roles = f"roles: {_list(rung.roles)}"
    if rung.kind is RungKind.BREACH:
        return roles
    if rung.fraction is not None:
        return f"fraction: {as_text(rung.fraction)}, {roles}"
    place = "before" if rung.kind is RungKind.WARNING else "after"
    every = f", every: {write_span(rung.every)}" if rung.every is not None else ""
    times = f", times: {rung.times}" if rung.times is not None else ""
    return f"{place}: {write_span(abs(rung.after))} {rung.counts.value}, {roles}{every}{times}"


def write_longest_pause(longest: LongestPause | None) -> str:
    if longest is None:
        return "none"
    resumes = ", resumes: true" if longest.resumes else ""
    return f"after: {write_span(longest.span)} {longest.counts.value}, roles: {_list(longest.roles)}{resumes}"


def _mappings(parts: Iterable[Condition]) -> str:
    return ", ".join(f"{{{write_condition(part)}}}" for part in parts)


def _name(name: str) -> str:
    return _word(f"{ATTRIBUTE}{name}" if name in _OTHER_MEANINGS else name)


def _word(text: str) -> str:
    return json.dumps(text) if ":" in text else text


def _bounds(between: Between) -> str:
    bounds = {
        "at_least": between.at_least,
        "above": between.above,
        "at_most": between.at_most,
        "below": between.below,
    }
    return ", ".join(f"{name}: {as_text(bound)}" for name, bound in bounds.items() if bound is not None)


def _list(words: Iterable[str]) -> str:
    return f"[{', '.join(words)}]"
