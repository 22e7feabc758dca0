"""Reads one objective of a policy. Every error names file, line and field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.sla_timer.domain.policy_ladders import read_ladder, read_longest_pause
from services.sla_timer.domain.policy_words import events_of, read_event, reasons_of
from services.sla_timer.domain.rules import ANY_REASON, Budget, Mode, Objective, Party
from services.sla_timer.domain.spans import read_budget
from shared.rules.document import Field
from shared.rules.words import read_code, read_truth, read_word

_REQUIRED = frozenset({"budget", "breach"})
_OPTIONAL = frozenset(
    {
        "kind",
        "stage",
        "from",
        "party",
        "calendar",
        "starts",
        "stops",
        "resets",
        "cancelled_by",
        "paused_by",
        "pauses",
        "warning",
        "warnings",
        "escalations",
        "longest_pause",
        "modes",
        "modes_move_running",
        "on_change",
    }
)
FIELDS = _REQUIRED | _OPTIONAL
"""What an objective can say."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a kind of objective means where its fields do not say otherwise.

    Attributes:
        stops: None where a policy has to say them.
    """

    starts: frozenset[str]
    stops: frozenset[str] | None
    paused_by: frozenset[str] = frozenset()


_SUBMITTED = frozenset({"submitted"})
_OPENED = frozenset({"submitted", "reopened"})
_CLOSED = frozenset({"closed"})
_ANSWERED = frozenset({"responded", "closed"})

SHAPES: Mapping[str, Shape] = {
    "first_response": Shape(_SUBMITTED, _ANSWERED),
    "next_response": Shape(frozenset({"message_received"}), _ANSWERED),
    "periodic_update": Shape(
        frozenset({"submitted", "responded", "customer_informed"}), _ANSWERED | {"customer_informed"}
    ),
    "resolution": Shape(_OPENED, _CLOSED),
    "handling_time": Shape(_OPENED, _CLOSED, frozenset({ANY_REASON})),
    "stage": Shape(frozenset(), _CLOSED),
    "custom": Shape(frozenset(), None),
}
"""By the word that a policy gives as ``kind``."""


def read_objective(code: str, field: Field, cancels: frozenset[str]) -> Objective:
    """Args:
    cancels: what cancels every clock of the policy.
    """
    try:
        read_code(code)
    except ValueError:
        raise field.fail("an objective's name is lower-case letters, digits and _") from None
    members = field.members(_REQUIRED, _OPTIONAL)
    shape = _shape(code, members)
    starts = events_of(members["starts"]) if "starts" in members else shape.starts
    stops = events_of(members["stops"]) if "stops" in members else shape.stops
    if not starts:
        raise field.fail("starts is missing: nothing would ever begin it")
    if stops is None:
        raise field.fail("stops is missing: nothing would ever stop it")
    return Objective(
        code=code,
        budget=members["budget"].parse(read_budget),
        starts=starts,
        stops=stops,
        resets=events_of(members["resets"]) if "resets" in members else frozenset(),
        cancels=cancels | (events_of(members["cancelled_by"]) if "cancelled_by" in members else frozenset()),
        paused_by=reasons_of(members["paused_by"]) if "paused_by" in members else shape.paused_by,
        paused_between=_between(members["pauses"]) if "pauses" in members else (),
        ladder=read_ladder(members),
        longest_pause=read_longest_pause(members["longest_pause"]) if "longest_pause" in members else None,
        modes=_modes(members["modes"]) if "modes" in members else {},
        modes_move_running="modes_move_running" in members and members["modes_move_running"].parse(read_truth),
        party=members["party"].parse(_party) if "party" in members else Party.CUSTOMER,
        calendar=members["calendar"].parse(read_word) if "calendar" in members else None,
        from_previous_exit="from" in members and members["from"].parse(_from),
        restarts_on_change="on_change" in members and members["on_change"].parse(_on_change),
    )


def _shape(code: str, members: Mapping[str, Field]) -> Shape:
    if "kind" not in members:
        if "stage" in members or "from" in members:
            raise members["stage" if "stage" in members else "from"].fail("goes with `kind: stage`")
        return Shape(_OPENED if code == "resolution" else _SUBMITTED, None)
    kind = members["kind"].text()
    if kind not in SHAPES:
        raise members["kind"].fail(f"{kind!r} is not one of {', '.join(SHAPES)}")
    if kind != "stage":
        if "stage" in members or "from" in members:
            raise members["stage" if "stage" in members else "from"].fail("goes with `kind: stage`")
        return SHAPES[kind]
    if "stage" not in members:
        raise members["kind"].fail("needs `stage`, the name of the stage")
    stage = members["stage"].parse(read_word)
    return Shape(frozenset({f"stage_entered:{stage}"}), frozenset({f"stage_left:{stage}", "closed"}))


def _between(field: Field) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for entry in field.items():
        members = entry.members(frozenset({"from", "to"}))
        begins, ends = members["from"].parse(read_event), members["to"].parse(read_event)
        if begins == ends:
            raise members["to"].fail("must be another event than `from`")
        pairs.append((begins, ends))
    return tuple(pairs)


def _modes(field: Field) -> dict[Mode, Budget]:
    budgets: dict[Mode, Budget] = {}
    for name, entry in field.members(frozenset(), frozenset({Mode.PEAK, Mode.EMERGENCY})).items():
        budgets[Mode(name)] = entry.parse(read_budget)
    return budgets


def _party(text: str) -> Party:
    if text not in set(Party):
        raise ValueError(f"{text!r} is not one of {', '.join(Party)}")
    return Party(text)


def _from(text: str) -> bool:
    if text not in ("entered", "previous_exit"):
        raise ValueError("must be `entered` or `previous_exit`")
    return text == "previous_exit"


def _on_change(text: str) -> bool:
    if text not in ("keep", "restart"):
        raise ValueError("must be `keep` (time spent counts) or `restart`")
    return text == "restart"
