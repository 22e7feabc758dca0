"""What is announced can be sent as it is, whatever happens to a request, and each kind says what it promises to say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla_timer.domain.announcements import Announcement
from services.sla_timer.domain.history import Happening
from services.sla_timer.domain.rules import BudgetKind, LongestPause, Mode, Party, Rung, RungKind
from shared.contracts.clocks import (
    PAYLOADS,
    ClockBreached,
    ClockBreachWithdrawn,
    ClockCancelled,
    ClockEscalated,
    ClockMet,
    ClockMissed,
    ClockPaused,
    ClockPauseOverrun,
    ClockPayload,
    ClockResumed,
    ClockRetargeted,
    ClockStarted,
    ClockWarned,
)
from shared.contracts.texts import to_json
from tests.unit.sla_timer.cases import (
    BREACH_RUNG,
    HOUR,
    MINUTE,
    RESOLUTION,
    RESPONSE,
    Life,
    at,
    days,
    elapsed,
    policy,
    promise,
    rules,
    working,
)

REPEATING = (BREACH_RUNG, Rung(RungKind.ESCALATION, 1, after=HOUR, counts=BudgetKind.WORKING, every=2 * HOUR))
BEFORE = (Rung(RungKind.WARNING, 1, after=-HOUR, roles=("team_lead",)), BREACH_RUNG)
HALVES = (Rung(RungKind.WARNING, 1, fraction=0.5, roles=("team_lead",)), BREACH_RUNG)
EVERY_SHAPE = (
    RESPONSE,
    RESOLUTION,
    promise("next_response", elapsed(3), starts=["message_received"], stops=["responded", "closed"], ladder=REPEATING),
    promise("update", days(1), starts=["submitted", "responded"], stops=["responded", "closed"], ladder=BEFORE),
    promise("decision", working(3), starts=["stage_entered:decision"], stops=["stage_left"], from_previous_exit=True),
    promise("supplier", elapsed(2), starts=["paused:doctor"], stops=["resumed:doctor"], party=Party.SUPPLIER),
    promise(
        "handling",
        working(6),
        paused_by=["*"],
        ladder=BEFORE,
        longest_pause=LongestPause(2 * HOUR, BudgetKind.WORKING, ("team_lead",), resumes=True),
    ),
    promise(
        "task",
        elapsed(5),
        resets=["signalled:again"],
        cancels=["signalled:off"],
        paused_between=(("assigned:legal", "assigned:claims"),),
        longest_pause=LongestPause(HOUR, BudgetKind.ELAPSED, ("team_lead",)),
        modes={Mode.PEAK: elapsed(9)},
        modes_move_running=True,
    ),
)
URGENT = tuple(promise(o.code, elapsed(1), stops=["responded", "closed"]) for o in EVERY_SHAPE[:3])
LATER = rules(*policy(*(promise(o.code, working(2), stops=o.stops) for o in EVERY_SHAPE[2:])), version=8)

TELLING: list[tuple[Happening, str | None, dict[str, Any]]] = [
    (Happening.RESPONDED, None, {}),
    (Happening.MESSAGE_RECEIVED, None, {}),
    (Happening.STAGE_ENTERED, "decision", {"from": "intake"}),
    (Happening.STAGE_ENTERED, "payment", {"from": "decision"}),
    (Happening.STAGE_LEFT, "intake", {}),
    (Happening.ASSIGNED, "legal", {}),
    (Happening.ASSIGNED, "claims", {}),
    *(
        (happening, reason, {})
        for happening in (Happening.PAUSED, Happening.RESUMED)
        for reason in ("documents", "doctor")
    ),
    (Happening.SIGNALLED, "again", {}),
    (Happening.SIGNALLED, "off", {}),
    (Happening.CHANGED, "review", {"priority": "urgent"}),
    (Happening.CHANGED, "review", {"priority": "normal"}),
    *((Happening.EXTENDED, code, {"seconds": 3600}) for code in ("task", "resolution", "update")),
    (Happening.CLOSED, "paid", {}),
    (Happening.CLOSED, "withdrawn", {}),
    (Happening.REOPENED, "objection", {}),
    (Happening.CANCELLED, "twice", {}),
    (Happening.MERGED, None, {"into": "another"}),
]

Move = Callable[[Life, int], object]
"""Done to a life at a minute after ten."""


def _tell(told: tuple[Happening, str | None, dict[str, Any]], lag: int) -> Move:
    """Told so many minutes after it occurred."""
    happening, value, details = told

    def tell(life: Life, minute: int) -> object:
        now = at(10) + minute * MINUTE
        return life.tell(happening, now - lag * MINUTE, value, now, **details)

    return tell


MOVES: st.SearchStrategy[Move] = st.one_of(
    st.builds(_tell, st.sampled_from(TELLING), st.just(0) | st.integers(1, 300)),
    st.sampled_from(list(Mode)).map(lambda mode: lambda life, minute: life.enter_mode(mode, at(10) + minute * MINUTE)),
    st.just(lambda life, minute: life.apply(8, at(10) + minute * MINUTE)),
    st.just(lambda life, minute: life.tick(at(10) + minute * MINUTE)),
)


def announced(life: Life) -> list[Announcement]:
    return [told for step in life.steps for told in step.announcements]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 240), MOVES), max_size=12), st.sampled_from([None, *Mode]))
def test_whatever_is_announced_is_a_payload_and_written_as_one(
    moves: list[tuple[int, Move]], mode: Mode | None
) -> None:
    life, minute = Life.begin(at(10), *EVERY_SHAPE, urgent=URGENT, stage="intake", later=(LATER,), mode=mode), 0
    for pause, move in moves:
        minute += pause
        move(life, minute)
    life.tick(at(10) + timedelta(days=5))
    for told in announced(life):
        assert to_json(told.fields).decode() == told.data.model_dump_json()
        assert told.fields.keys() == told.kind.model_fields.keys()
        assert told.data.model_dump() == told.fields


def live() -> Life:
    """A life in which everything is said at least once."""
    life = Life.begin(at(10), RESPONSE, RESOLUTION, EVERY_SHAPE[-1])
    life.tell(Happening.ASSIGNED, at(10.5), "legal")
    life.tell(Happening.ASSIGNED, at(12), "claims")
    life.tell(Happening.EXTENDED, at(12), "task", seconds=3600)
    life.tick(at(14))
    life.tell(Happening.RESPONDED, at(11), recorded_at=at(14))
    life.tell(Happening.PAUSED, at(14), "documents")
    life.tell(Happening.RESUMED, at(14.5), "documents")
    life.tick(at(19))
    life.tell(Happening.SIGNALLED, at(19.5), "off")
    life.tell(Happening.CLOSED, at(10, day=2), "paid")
    return life


LIVED = {told.kind: told for told in reversed(announced(live()))}
"""The first announcement of each kind."""


def test_every_event_of_the_contracts_can_come_of_a_clock() -> None:
    assert LIVED.keys() == set(PAYLOADS)


@pytest.mark.parametrize(
    ("kind", "occurred_at", "fields"),
    [
        (
            ClockStarted,
            at(10),
            {
                "started_at": at(10),
                "due_at": at(12),
                "budget_seconds": 7200.0,
                "budget_kind": "elapsed",
                "calendar": "always_open",
            },
        ),
        (ClockPaused, at(10.5), {"objective": "task", "paused_at": at(10.5)}),
        (ClockPauseOverrun, at(11.5), {"level": 1, "paused_at": at(10.5), "notify_roles": ("team_lead",)}),
        (ClockResumed, at(12), {"objective": "task", "resumed_at": at(12), "due_at": at(16.5)}),
        (ClockRetargeted, at(12), {"due_at": at(17.5), "previous_due_at": at(16.5), "reason": "extended"}),
        (ClockWarned, at(11), {"objective": "response", "level": 1, "due_at": at(12), "notify_roles": ("team_lead",)}),
        (ClockBreached, at(12), {"objective": "response", "due_at": at(12), "notify_roles": ("team_lead",)}),
        (ClockEscalated, at(13), {"level": 1, "due_at": at(12), "notify_roles": ("operations_manager",)}),
        (ClockBreachWithdrawn, at(11), {"due_at": at(12), "stopped_at": at(11)}),
        (ClockMet, at(11), {"objective": "response", "due_at": at(12), "stopped_at": at(11)}),
        (ClockCancelled, at(19.5), {"objective": "task", "cancelled_at": at(19.5), "reason": "off"}),
        (ClockMissed, at(10, day=2), {"objective": "resolution", "due_at": at(15.5), "stopped_at": at(10, day=2)}),
    ],
)
def test_each_kind_says_when_it_became_true_and_what_goes_with_it(
    kind: type[ClockPayload], occurred_at: object, fields: dict[str, Any]
) -> None:
    told = LIVED[kind]
    assert told.occurred_at == occurred_at
    assert {name: told.fields[name] for name in fields} == fields


@pytest.mark.parametrize("ladder", [BEFORE, (Rung(RungKind.WARNING, 1, fraction=0.75), BREACH_RUNG)])
def test_a_warning_decided_when_a_later_pause_is_known_names_the_deadline_that_held(ladder: tuple[Rung, ...]) -> None:
    life = Life.begin(at(10), promise("resolution", elapsed(4), paused_by=["documents"], ladder=ladder))
    life.tell(Happening.PAUSED, at(13.1), "documents")  # the timer of 13:00 did not fire, nothing was running
    (warned,) = [told for told in announced(life) if told.kind is ClockWarned]
    assert (warned.occurred_at, warned.fields["due_at"]) == (at(13), at(14))


def test_a_deadline_that_moves_names_the_warnings_that_come_again() -> None:
    life = Life.begin(at(9), promise("resolution", elapsed(10), paused_by=["documents"], ladder=HALVES))
    life.tick(at(14))
    life.tell(Happening.EXTENDED, at(14.6), "resolution", seconds=36_000)
    life.tick(at(19))
    life.tell(Happening.PAUSED, at(17), "documents", recorded_at=at(19.5))
    life.tell(Happening.EXTENDED, at(20), "resolution", seconds=3600)
    told = [(a.kind, a.fields.get("withdrawn_warnings")) for a in announced(life) if a.kind is not ClockStarted]
    assert told == [
        (ClockWarned, None),
        (ClockRetargeted, (1,)),
        (ClockWarned, None),
        (ClockPaused, (1,)),
    ]
    life.tell(Happening.RESUMED, at(21), "documents")
    assert announced(life)[-1].fields["withdrawn_warnings"] == ()


def test_everything_says_which_clock_and_rules_it_is_about() -> None:
    life = live()
    for told in announced(life):
        clock = life.clock(told.fields["objective"], told.fields["cycle"])
        assert told.fields["clock_id"] == clock.clock_id
        assert (told.fields["policy"], told.fields["policy_version"]) == ("claim", 7)
        assert (told.fields["reference"], told.fields["mode"], told.fields["party"]) == (
            "K7M4Q-2XD9C",
            "normal",
            "customer",
        )


def test_a_budget_in_days_says_the_open_time_up_to_its_deadline() -> None:
    (started, *_) = announced(Life.begin(at(16), promise("update", days(1))))
    assert started.fields["budget_kind"] == "days"
    assert started.fields["budget_seconds"] == 8 * 3600
    assert started.fields["calendar"] == "office"
