"""The process engine, by property: whatever is asked in whatever order, only allowed states are reached."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain import moves
from services.intake.domain.chain import find_break, hash_entry, hash_first
from services.intake.domain.changes import (
    Assigned,
    Cancelled,
    Closed,
    Merged,
    Paused,
    ProcessChanged,
    StageEntered,
    Submitted,
)
from services.intake.domain.deciding import decide
from services.intake.domain.doubts import Doubted
from services.intake.domain.history import Change, Entry, change_data, read_change
from services.intake.domain.identity import Identity
from services.intake.domain.instants import InstantRefused
from services.intake.domain.kept import KEPT
from services.intake.domain.life import Life, State, begin, evolve, replay
from services.intake.domain.moves import Move
from services.intake.domain.process import Process
from services.intake.domain.refusing import MoveRefused
from services.intake.domain.requiring import find_missing
from shared.contracts.payload import CustomerTier, Language, Market, Priority
from tests.unit.intake.shipped import BOOK, PROCESSES, process_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
REQUEST = UUID(int=7)
IDENTITY = Identity(REQUEST, "K7M4Q-2XD9C", "app", Market.HONG_KONG, Language.ENGLISH, UUID(int=8))

handlers = st.none() | st.just("s-104")
words = st.sampled_from(["receipts", "report", "passport"])
values = st.booleans() | st.integers(-5, 5) | st.floats(-1e9, 1e9).map(lambda x: x + 0.0) | st.just("A-1")
findings = st.sampled_from(["policy_was_in_force", "likely_duplicate"])
attributes = st.dictionaries(st.sampled_from(["amount", "branch"]), values, max_size=2)


def moves_of(process: Process) -> st.SearchStrategy[Move]:
    """Every move in the words of the process, and one that it does not know of each."""
    controls = sorted({control for stage in process.stages.values() for control in stage.control_points})
    recorded = {
        field for stage in process.stages.values() for asked in stage.control_points.values() for field in asked
    }
    reasons = sorted({reason for outcome in process.outcomes.values() for reason in outcome.reasons})
    reopenings = process.reopening.reasons if process.reopening is not None else ()
    return st.one_of(
        st.builds(moves.Acknowledge, handlers),
        st.builds(moves.Assign, st.sampled_from(["north", "south", None, KEPT]), handlers | st.just(KEPT)),
        st.builds(moves.EnterStage, st.sampled_from([*process.stages, "nowhere"]), handlers),
        st.builds(moves.EnterStage, st.sampled_from([*process.stages]), handlers),
        st.builds(moves.LeaveStage, handlers),
        st.builds(
            moves.RecordControl,
            st.sampled_from([*controls, "horoscope_read"]),
            st.sampled_from([True, True, False]),
            st.just(dict.fromkeys(sorted(recorded), True)) | st.just({}),
            handlers,
        ),
        st.builds(moves.Respond, handlers),
        st.builds(moves.InformCustomer, handlers),
        st.just(moves.ReceiveMessage()),
        st.builds(moves.Note, handlers),
        st.builds(
            moves.Attach,
            st.just(UUID(int=3)),
            st.just("application/pdf"),
            st.just(12),
            st.just("0" * 64),
            st.none() | words,
        ),
        st.builds(moves.Pause, st.sampled_from([*process.pauses, "lunch"]), st.lists(words, unique=True).map(tuple)),
        st.builds(moves.ReceiveDocuments, st.lists(words, unique=True, min_size=1).map(tuple)),
        st.builds(moves.Resume, st.sampled_from([*process.pauses, "lunch"])),
        st.builds(
            moves.ChangeFacts,
            st.just("called"),
            st.none() | st.just("motor"),
            st.none() | st.sampled_from(Priority),
            st.none() | st.sampled_from(CustomerTier),
            attributes,
        ),
        st.builds(moves.Extend, st.just("resolution"), st.integers(0, 10**8), st.just("expert"), st.just("s-1")),
        st.just(moves.Signal("all_there")),
        st.builds(
            moves.Close,
            st.sampled_from([*process.outcomes, "lost"]),
            handlers,
            st.none() | st.sampled_from([*reasons, "bad_mood"]),
        ),
        st.builds(moves.Reopen, st.sampled_from([*reopenings, "boredom"])),
        st.builds(moves.Cancel, st.sampled_from([*process.cancelling, "boredom"])),
        st.just(moves.MergeInto(UUID(int=8))),
        st.builds(moves.Absorb, st.just(UUID(int=9)), st.frozensets(st.sampled_from([UUID(int=9), UUID(int=10)]))),
        st.just(moves.SplitOff(UUID(int=10))),
        st.just(moves.Complain(UUID(int=11))),
        st.builds(moves.GiveFeedback, st.integers(1, 5)),
        follows(process),
        st.builds(moves.ConfirmFinding, findings, st.just("asked")),
        st.builds(moves.DismissFinding, findings, st.just("asked")),
    )


def follows(process: Process) -> st.SearchStrategy[Move]:
    """Under versions of every process of the kind, some of which call a stage otherwise; `chosen` is put in later."""
    of_kind = [other for other in PROCESSES.values() if other.kind is process.kind]
    known = sorted({stage for other in of_kind for stage in other.stages})
    return st.builds(
        moves.FollowProcess,
        st.builds(new_version, st.sampled_from(of_kind), st.sampled_from([1, 2, 3]), st.sampled_from([None, *known])),
        st.just("new_version"),
        st.just(""),
        st.none() | st.sampled_from([*known, *map(renamed, known), "nowhere"]),
    )


def new_version(process: Process, version: int, other: str | None) -> Process:
    """Version 1 as it ships; in a later one a stage may be called otherwise."""
    if version == 1 or other not in process.stages:
        return replace(process, version=version)

    def call(*stages: str) -> tuple[str, ...]:
        return tuple(renamed(stage) if stage == other else stage for stage in stages)

    stages = {
        call(name)[0]: replace(stage, next=call(*stage.next), rework=call(*stage.rework))
        for name, stage in process.stages.items()
    }
    reopening = process.reopening and replace(process.reopening, stage=call(process.reopening.stage)[0])
    return replace(process, version=version, stages=stages, start=call(process.start)[0], reopening=reopening)


def renamed(stage: str) -> str:
    return f"{stage}_anew"


processes = st.sampled_from(sorted(PROCESSES.values(), key=lambda process: process.code))
spans = st.integers(-50_000, 200_000).map(lambda minutes: timedelta(minutes=minutes))
"""From one move to the next that is told; news may be late."""
lives = processes.flatmap(lambda process: st.tuples(st.just(process), st.lists(st.tuples(moves_of(process), spans))))
doubted = st.none() | st.dictionaries(findings, st.lists(words).map(tuple), min_size=1).map(
    lambda found: Doubted(found, (UUID(int=12),))
)


def begun(process: Process, doubt: Doubted | None = None) -> tuple[Life, list[Entry]]:
    """Submitted, and perhaps doubted at once."""
    life, history = submitted_to(process)
    if doubt is not None:
        life = evolve(life, doubt, NOW)
        entry = Entry(2, doubt, NOW, NOW, "app", "entry:1")
        history.append(replace(entry, hash=hash_entry(REQUEST, entry, history[-1].hash)))
    return life, history


def submitted_to(process: Process) -> tuple[Life, list[Entry]]:
    submitted = Submitted(process.kind, process.version, process.start, process=process.code, attributes={"amount": 5})
    entry = Entry(1, submitted, NOW, NOW, "app")
    return begin(submitted, NOW), [replace(entry, hash=hash_first(IDENTITY, entry))]


def is_complete(process: Process, life: Life) -> bool:
    """The definition read literally, without the engine."""
    stage = process.stages[life.stage]
    has_all = all(life.attributes.get(name) is not None for name in stage.required)
    has_passed = all(life.controls.get(name) is True for name in stage.controls)
    has_failed = any(life.controls.get(name) is False for name in stage.optional_controls)
    return has_all and has_passed and not has_failed


def is_allowed(process: Process, life: Life, move: Move, at: datetime) -> bool:
    """The definition read literally, without the engine."""
    stage = process.stages[life.stage]
    if isinstance(move, moves.Reopen):
        return (
            life.ended_as is State.CLOSED
            and process.reopening is not None
            and life.closed_at is not None
            and timedelta(0) <= at - life.closed_at <= process.reopening.within
            and move.reason in process.reopening.reasons
        )
    if life.ended_as is not None:
        return isinstance(
            move,
            moves.Note
            | moves.Attach
            | moves.ReceiveMessage
            | moves.InformCustomer
            | moves.GiveFeedback
            | moves.Complain,
        ) or (isinstance(move, moves.ConfirmFinding | moves.DismissFinding) and move.rule in life.doubts)
    match move:
        case moves.Acknowledge():
            return not life.is_acknowledged
        case moves.Assign(team, handler):
            return (team is not KEPT and team != life.team) or (handler is not KEPT and handler != life.handler)
        case moves.EnterStage(target):
            return target in stage.rework or (target in stage.next and is_complete(process, life))
        case moves.LeaveStage():
            return bool(stage.next) and not life.has_left_stage and is_complete(process, life)
        case moves.RecordControl(control, _, recorded):
            points = {**stage.controls, **stage.optional_controls}
            return control in points and set(points[control]) <= set(recorded)
        case moves.Pause(reason, documents):
            is_new = reason not in life.pause_reasons or not set(documents) <= set(life.awaited.get(reason, ()))
            return reason in process.pauses and is_new
        case moves.Resume(reason):
            return reason in life.pause_reasons
        case moves.Extend(seconds=seconds):
            return 1 <= seconds <= 366 * 24 * 3600
        case moves.Cancel(reason):
            return reason in process.cancelling
        case moves.Close(outcome, _, reason):
            here = process.stages[life.stage].outcomes
            if outcome not in (process.outcomes if here is None else here):
                return False
            asked = process.outcomes[outcome]
            fits = reason in asked.reasons if asked.reasons else reason is None
            is_sure = asked.is_despite_doubts or not life.doubts
            return fits and is_sure and (asked.is_unchecked or is_complete(process, life))
        case moves.ConfirmFinding(rule) | moves.DismissFinding(rule):
            return rule in life.doubts
        case moves.ChangeFacts():
            before = (life.product_line, life.priority, life.customer_tier, json.dumps(dict(life.attributes)))
            after = (
                move.product_line or life.product_line,
                move.priority or life.priority,
                move.customer_tier or life.customer_tier,
                json.dumps({**life.attributes, **move.attributes}),
            )
            return before != after
        case moves.FollowProcess(process=new, stage=target):
            is_possible = new.code == life.process or BOOK.choose(life.kind, life.product_line).code == new.code
            stays = life.stage in new.stages
            return (
                is_possible
                and (new.code, new.version) != (life.process, life.process_version)
                and (target in (None, life.stage) if stays else target in new.stages)
                and set(life.pause_reasons) <= set(new.pauses)
            )
        case _:
            return True


@settings(max_examples=300)
@given(lives, doubted)
def test_no_sequence_of_moves_reaches_a_forbidden_state_and_the_history_gives_the_state(
    lived: tuple[Process, list[tuple[Move, timedelta]]], doubt: Doubted | None
) -> None:
    process, asked = lived
    life, history = begun(process, doubt)
    at = NOW
    for move, span in asked:
        at = max(NOW, at + span)
        if isinstance(move, moves.FollowProcess):
            move = replace(move, chosen=BOOK.choose(life.kind, life.product_line).code)  # noqa: PLW2901
        allowed = is_allowed(process, life, move, at)
        try:
            made = decide(process, life, move, at)
        except (MoveRefused, InstantRefused):
            made = ()
        assert bool(made) is allowed
        if not made:
            continue
        if isinstance(move, moves.FollowProcess):
            process = move.process
        before = life
        for change in made:
            life = evolve(life, change, at)
            entry = Entry(
                life.version, change, at, at, "app", None if change is made[0] else f"entry:{life.version - 1}"
            )
            history.append(replace(entry, hash=hash_entry(REQUEST, entry, history[-1].hash)))
        assert life.version == before.version + len(made)
        assert life.stage in process.stages
        assert len(set(life.pause_reasons)) == len(life.pause_reasons)
        assert set(life.pause_reasons) <= set(process.pauses)
        assert set(life.awaited) <= set(life.pause_reasons)
        assert all(life.awaited.values())
        assert all(len(set(asked)) == len(asked) for asked in life.awaited.values())
        assert set(life.controls) <= set(process.stages[life.stage].control_points)
        assert (life.closed_at is None) == (life.ended_as is None)
        assert (life.outcome is not None) == (life.state is State.CLOSED)
        assert (life.state is State.PAUSED) == bool(life.pause_reasons)
        assert (life.merged_into is not None) == (life.state is State.MERGED)
        assert not life.is_over or not life.pause_reasons
        judged = [*life.doubts, *life.confirmed, *life.dismissed]
        assert sorted(judged) == sorted(doubt.findings if doubt is not None else ())
        if before.outcome is None and life.outcome is not None:
            assert not life.doubts or process.outcomes[life.outcome].is_despite_doubts
        assert not before.is_over or life.ended_as is before.ended_as or life.cycle == before.cycle + 1
    assert [entry.sequence for entry in history] == list(range(1, len(history) + 1))
    assert replay(history) == life
    stored = [(entry.change.TYPE, json.loads(json.dumps(change_data(entry.change)))) for entry in history]
    read = [replace(entry, change=read_change(*columns)) for entry, columns in zip(history, stored, strict=True)]
    assert [entry.change for entry in read] == [entry.change for entry in history]
    assert find_break(IDENTITY, read, history[-1].hash) is None


@given(lives, st.data())
def test_every_move_that_a_refusal_names_is_allowed(
    lived: tuple[Process, list[tuple[Move, timedelta]]], data: st.DataObject
) -> None:
    process, asked = lived
    life, _ = begun(process)
    for earlier, _ in asked:
        if is_allowed(process, life, earlier, NOW) and not isinstance(earlier, moves.FollowProcess):
            for change in decide(process, life, earlier, NOW):
                life = evolve(life, change, NOW)
    move = data.draw(moves_of(process))
    refused = refusal(process, life, move)
    if refused is None or refused.field not in ("stage", "reason", "control") or isinstance(move, moves.FollowProcess):
        return
    for allowed in refused.allowed:
        next_refusal = refusal(process, life, replace(move, **{refused.field: allowed}))  # type: ignore[arg-type]
        assert next_refusal is None or next_refusal.missing  # only what has to be there first may be missing


def refusal(process: Process, life: Life, move: Move) -> MoveRefused | None:
    try:
        decide(process, life, move, NOW)
    except MoveRefused as refused:
        return refused
    return None


def lived_through(process: Process, *asked: Move, at: datetime = NOW) -> Life:
    life, _ = begun(process)
    for move in asked:
        for change in decide(process, life, move, at):
            life = evolve(life, change, at)
    return life


def test_a_request_runs_again_only_when_the_last_reason_to_wait_is_gone() -> None:
    process = process_of("claim")
    life = lived_through(process, moves.Pause("third_party"), moves.Pause("customer_documents"))
    states = []
    for reason in ("third_party", "customer_documents"):
        (change,) = decide(process, life, moves.Resume(reason), NOW)
        life = evolve(life, change, NOW)
        states.append(life.state)
    assert states == [State.PAUSED, State.OPEN]


def test_it_goes_on_by_itself_when_every_document_has_come() -> None:
    process = process_of("claim")
    life = lived_through(process, moves.Pause("customer_documents", ("receipts", "report")))
    assert life.awaited == {"customer_documents": ("receipts", "report")}
    life = lived_through(
        process, moves.Pause("customer_documents", ("receipts", "report")), moves.ReceiveDocuments(("report",))
    )
    assert (life.state, life.awaited) == (State.PAUSED, {"customer_documents": ("receipts",)})
    made = decide(process, life, moves.ReceiveDocuments(("receipts", "photos")), NOW)
    assert [change.TYPE for change in made] == ["documents_received", "resumed"]


def test_a_document_that_was_asked_for_has_come_when_it_is_attached() -> None:
    process = process_of("claim")
    asked = [moves.Pause("customer_documents", ("receipts", "report")), moves.Pause("third_party", ("report",))]

    def attach(document: str | None) -> moves.Attach:
        return moves.Attach(UUID(int=3), "application/pdf", 12, "0" * 64, document)

    for other in (None, "passport"):
        assert len(decide(process, lived_through(process, *asked), attach(other), NOW)) == 1
    made = decide(process, lived_through(process, *asked), attach("report"), NOW)
    assert [change.TYPE for change in made] == ["attached", "documents_received", "resumed"]
    life = lived_through(process, *asked, attach("report"))
    assert life.awaited == {"customer_documents": ("receipts",)}
    assert lived_through(process, *asked, attach("report"), attach("receipts")).state is State.OPEN


def test_more_documents_are_asked_for_under_the_same_reason() -> None:
    process = process_of("claim")
    asked = moves.Pause("customer_documents", ("receipts", "report"))
    more = moves.Pause("customer_documents", ("report", "passport"))
    (change,) = decide(process, lived_through(process, asked), more, NOW)
    assert change == Paused("customer_documents", ("passport",))
    life = lived_through(process, asked, moves.Pause("third_party"), more)
    assert life.awaited == {"customer_documents": ("receipts", "report", "passport")}
    assert life.pause_reasons == ("customer_documents", "third_party")
    for again in (asked, moves.Pause("customer_documents")):
        refused = refusal(process, life, again)
        assert refused is not None
        assert refused.allowed == (("third_party", "customer_decision") if again.documents else ("customer_decision",))


def test_a_stage_is_not_left_before_its_control_points_are_passed_and_its_fields_are_known() -> None:
    process = process_of("claim", "motor")
    life = lived_through(
        process, moves.EnterStage("assessment"), moves.RecordControl("cover_checked", False, {"cover_in_force": False})
    )
    life = replace(life, attributes={})
    with pytest.raises(MoveRefused) as caught:
        decide(process, life, moves.EnterStage("decision"), NOW)
    assert caught.value.missing == ("attribute:amount", "control:cover_checked")
    (back,) = decide(process, life, moves.EnterStage("documents"), NOW)
    assert evolve(life, back, NOW).controls == {}


def test_a_control_point_asks_for_what_has_to_be_recorded() -> None:
    process = process_of("claim", "motor")
    life = lived_through(process, moves.EnterStage("assessment"))
    with pytest.raises(MoveRefused, match="cover_in_force"):
        decide(process, life, moves.RecordControl("cover_checked", is_passed=True), NOW)


def test_a_refusal_of_a_closed_request_says_how_it_ended_and_how_it_goes_on() -> None:
    process = process_of("enquiry")
    life, _ = begun(process)
    life = evolve(life, Closed("answered"), NOW)
    with pytest.raises(MoveRefused, match="closed with outcome answered; reopen it first"):
        decide(process, life, moves.Respond(), NOW)


@pytest.mark.parametrize(
    ("ended", "way_back"),
    [
        (Cancelled("duplicate"), "cancelled because of duplicate; it cannot be reopened; allowed: note, "),
        (Merged(UUID(int=8)), "merged into another request; it cannot be reopened; allowed: note, "),
        (Closed("answered"), "closed with outcome answered; reopen it first (reasons: "),
    ],
)
@pytest.mark.parametrize("doubt", [None, Doubted({"policy_was_in_force": ("policy_to",)})])
def test_a_refusal_of_what_is_over_names_exactly_the_moves_that_are_taken(
    ended: Change, way_back: str, doubt: Doubted | None
) -> None:
    process = process_of("enquiry")
    life = evolve(begun(process, doubt)[0], ended, NOW)
    refused = refusal(process, life, moves.Respond())
    assert refused is not None
    assert way_back in refused.detail
    examples: dict[str, Move] = {
        "note": moves.Note(),
        "message": moves.ReceiveMessage(),
        "inform": moves.InformCustomer(),
        "attachment": moves.Attach(UUID(int=3), "application/pdf", 12, "0" * 64),
        "feedback": moves.GiveFeedback(5),
        "complain": moves.Complain(UUID(int=11)),
        "confirm": moves.ConfirmFinding("policy_was_in_force", "asked"),
        "dismiss": moves.DismissFinding("policy_was_in_force", "asked"),
        "reopen": moves.Reopen("not_answered"),
        "close": moves.Close("answered"),
        "cancel": moves.Cancel("duplicate"),
        "signal": moves.Signal("all_there"),
    }
    taken = {name for name, move in examples.items() if refusal(process, life, move) is None}
    assert (refused.field, set(refused.allowed)) == ("path:move", taken)


def test_a_request_is_reopened_within_the_window_and_not_after_it() -> None:
    process = process_of("enquiry")
    life, _ = begun(process)
    life = evolve(life, Closed("answered"), NOW)
    assert process.reopening is not None
    last = NOW + process.reopening.within
    again = life
    for change in decide(process, life, moves.Reopen("not_answered"), last):
        again = evolve(again, change, last)
    assert (again.state, again.stage, again.cycle, again.outcome) == (State.OPEN, "answering", 2, None)
    with pytest.raises(MoveRefused, match="could be reopened until"):
        decide(process, life, moves.Reopen("not_answered"), last + timedelta(microseconds=1))


def test_a_request_is_not_reopened_before_it_was_closed() -> None:
    process = process_of("enquiry")
    closed_at = NOW + timedelta(hours=2)
    life = evolve(begun(process)[0], Closed("answered"), closed_at)
    assert decide(process, life, moves.Reopen("not_answered"), closed_at)
    with pytest.raises(InstantRefused, match="before the request was closed"):
        decide(process, life, moves.Reopen("not_answered"), closed_at - timedelta(microseconds=1))


def test_a_change_that_changes_nothing_is_refused_and_true_is_not_one() -> None:
    process = process_of("claim")
    life = replace(begun(process)[0], attributes={"checked": 1})
    with pytest.raises(MoveRefused, match="so already"):
        decide(process, life, moves.ChangeFacts("x", priority=Priority.NORMAL, attributes={"checked": 1}), NOW)
    assert decide(process, life, moves.ChangeFacts("x", attributes={"checked": True}), NOW)


def test_a_request_with_a_doubt_is_worked_on_and_ends_only_without_a_decision() -> None:
    process = process_of("enquiry")
    life, _ = begun(process, Doubted({"amount_is_not_gigantic": ("amount",)}))
    for move in (moves.Acknowledge(), moves.Respond(), moves.EnterStage("answering")):
        for change in decide(process, life, move, NOW):
            life = evolve(life, change, NOW)
    refused = refusal(process, life, moves.Close("answered"))
    assert refused is not None
    assert refused.code == "doubt_open"
    assert "amount_is_not_gigantic" not in refused.detail  # not everybody is shown every finding
    (dismissed,) = decide(process, life, moves.DismissFinding("amount_is_not_gigantic", "asked"), NOW)
    assert refusal(process, evolve(life, dismissed, NOW), moves.Close("answered")) is None


@pytest.mark.parametrize("line", [None, "motor", "health", "life", "property", "travel"])
def test_a_claim_is_neither_paid_nor_declined_while_a_doubt_is_open(line: str | None) -> None:
    process = process_of("claim", line)
    life = evolve(
        begun(process, Doubted({"policy_was_in_force": ("policy_to",)}))[0], StageEntered("", "decision"), NOW
    )
    for stage, close in (("payment", moves.Close("paid")), ("decision", moves.Close("declined", None, "not_proved"))):
        refused = refusal(process, replace(life, stage=stage), close)
        assert refused is not None
        assert refused.code == "doubt_open"
        assert set(refused.allowed) <= {"withdrawn"}
    assert decide(process, life, moves.Close("withdrawn"), NOW)


def test_a_merge_confirms_that_the_request_was_a_duplicate() -> None:
    process = process_of("enquiry")
    life, _ = begun(process, Doubted({"likely_duplicate": ("same_text",)}, (UUID(int=8),)))
    for change in decide(process, life, moves.MergeInto(UUID(int=8)), NOW):
        life = evolve(life, change, NOW)
    assert (life.state, life.doubts, life.confirmed) == (State.MERGED, (), ("likely_duplicate",))


@pytest.mark.parametrize(("likely", "is_judged"), [({9}, True), ({9, 10}, False), ({10}, False), (set[int](), False)])
def test_so_does_a_merge_the_other_way_round_unless_it_may_be_a_duplicate_of_others(
    likely: set[int], is_judged: bool
) -> None:
    process = process_of("enquiry")
    life, _ = begun(process, Doubted({"likely_duplicate": ("same_text",)}, (UUID(int=9), UUID(int=10))))
    for change in decide(process, life, moves.Absorb(UUID(int=9), frozenset(UUID(int=each) for each in likely)), NOW):
        life = evolve(life, change, NOW)
    assert life.state is State.OPEN
    judged = ((), ("likely_duplicate",))
    assert (life.doubts, life.confirmed) == (judged if is_judged else judged[::-1])


@pytest.mark.parametrize(
    ("move", "data", "whose"),
    [
        (moves.Assign("south"), {"team": "south", "handler": None}, ("south", None)),
        (moves.Assign("south", "s-9"), {"team": "south", "handler": "s-9"}, ("south", "s-9")),
        (moves.Assign(KEPT, "s-9"), {"handler": "s-9"}, ("north", "s-9")),
        (moves.Assign(KEPT, None), {"handler": None}, ("north", None)),
        (moves.Assign(None), {"team": None, "handler": None}, (None, None)),
        (moves.Assign(None, "s-104"), {"team": None, "handler": "s-104"}, (None, "s-104")),
    ],
)
def test_another_team_takes_a_request_from_the_person_who_had_it(
    move: moves.Assign, data: dict[str, Any], whose: tuple[str | None, str | None]
) -> None:
    process = process_of("claim")
    life = evolve(begun(process)[0], Assigned("north", "s-104"), NOW)
    (change,) = decide(process, life, move, NOW)
    assert change_data(change) == data
    after = evolve(life, read_change("assigned", json.loads(json.dumps(change_data(change)))), NOW)
    assert (after.team, after.handler) == whose


def test_the_first_team_of_a_request_leaves_it_with_who_works_on_it() -> None:
    process = process_of("claim")
    life = evolve(begun(process)[0], Assigned(KEPT, "s-104"), NOW)
    (change,) = decide(process, life, moves.Assign("north"), NOW)
    assert change == Assigned("north")


def test_an_assignment_of_before_that_names_no_handler_left_the_handler() -> None:
    life = evolve(begun(process_of("claim"))[0], Assigned("north", "s-104"), NOW)
    old = read_change("assigned", {"team": "south"})
    after = evolve(life, old, NOW)
    assert (after.team, after.handler, change_data(old)) == ("south", "s-104", {"team": "south"})


def test_another_process_passes_no_stage_and_no_control_point_over() -> None:
    claim, motor = process_of("claim"), process_of("claim", "motor")
    life = lived_through(claim, moves.EnterStage("assessment"), moves.LeaveStage())
    (followed,) = decide(claim, life, moves.FollowProcess(motor, "it_is_motor", "claim_motor"), NOW)
    assert isinstance(followed, ProcessChanged)
    assert followed.from_stage == "assessment"  # it had been left, and is entered anew
    life = evolve(life, followed, NOW)
    assert (life.stage, life.has_left_stage) == ("assessment", False)
    assert find_missing(motor, life) == ("control:cover_checked",)
    refused = refusal(motor, life, moves.EnterStage("decision"))
    assert refused is not None
    assert refused.code == "stage_incomplete"


def test_a_request_whose_stage_is_gone_goes_on_where_somebody_says() -> None:
    claim = process_of("claim")
    newer = new_version(claim, 2, "received")
    life = lived_through(claim)
    nowhere = refusal(claim, life, moves.FollowProcess(newer, "newer", "claim"))
    assert nowhere is not None
    assert (nowhere.code, nowhere.allowed) == ("stage_forbidden", tuple(newer.stages))
    (followed,) = decide(claim, life, moves.FollowProcess(newer, "newer", "claim", "assessment"), NOW)
    assert isinstance(followed, ProcessChanged)
    assert followed.from_stage == "received"
    assert evolve(life, followed, NOW).stage == "assessment"


def test_an_optional_control_point_holds_nothing_up_until_it_failed() -> None:
    process = process_of("enquiry")
    life = evolve(begun(process)[0], StageEntered("received", "answering"), NOW)
    assert decide(process, life, moves.Close("answered"), NOW)
    for is_passed, missing in ((False, ("control:answer_checked",)), (True, ())):
        (recorded,) = decide(process, life, moves.RecordControl("answer_checked", is_passed=is_passed), NOW)
        life = evolve(life, recorded, NOW)
        assert find_missing(process, life) == missing
        if missing:
            with pytest.raises(MoveRefused, match="missing: control:answer_checked"):
                decide(process, life, moves.Close("answered"), NOW)
    assert decide(process, life, moves.Close("answered"), NOW)


@pytest.mark.parametrize(
    ("process", "way", "move"),
    [
        (process_of("claim", "motor"), [moves.EnterStage("assessment")], moves.EnterStage("decision")),
        (process_of("claim"), [moves.EnterStage("assessment")], moves.Close("paid")),
    ],
)
def test_a_control_point_that_fails_after_the_stage_was_left_holds_it_up_again(
    process: Process, way: list[Move], move: Move
) -> None:
    def record(*, is_passed: bool) -> moves.RecordControl:
        return moves.RecordControl("cover_checked", is_passed, {"cover_in_force": is_passed})

    way = [*way, record(is_passed=True), moves.LeaveStage()]
    assert decide(process, lived_through(process, *way), move, NOW)
    failed = lived_through(process, *way, record(is_passed=False))
    refused = refusal(process, failed, move)
    assert refused is not None
    assert (refused.code, refused.missing) == ("stage_incomplete", ("control:cover_checked",))
    assert decide(process, lived_through(process, *way, record(is_passed=False), record(is_passed=True)), move, NOW)
