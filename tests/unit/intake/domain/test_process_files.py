"""Process definitions: what ships is what was agreed, and a wrong file is refused with file, line and field."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.process import Outcome, Process, Waiting
from services.intake.domain.process_book import ProcessBook
from services.intake.domain.process_files import MOST_STAGES, MOST_VALUES, Worded, read_process
from services.intake.domain.process_linting import remark_on_process
from shared.contracts.payload import Language, RequestKind
from shared.rules.document import InvalidDocument
from tests.unit.intake.rings import chain, ring
from tests.unit.intake.shipped import FILES, PERSONAL, PROCESSES, WORDED, process_of

TEXT = """\
format: "1"
process: question
kind: enquiry
product_lines: [motor]
start: received
stages:
  received:
    role: desk
    next: [answering]
    outcomes: [withdrawn]
  answering:
    role: desk
    key: true
    rework: [received]
    required: [amount]
    controls:
      answer_read: [reader]
    waits_for: supplier
outcomes:
  answered: {despite_doubts: true}
  withdrawn: {reasons: [by_phone], unchecked: true}
pauses: {third_party: third_party}
reopening: {within: 30d, stage: received, reasons: [more]}
cancelling: [duplicate]
"""


def read(text: str = TEXT) -> Process:
    return read_process(text, "question.yml", 3)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("required: [amount]", "required: [amount, email]", ["required.email"]),
        ("answer_read: [reader]", "answer_read: [reader, Passport-Number]", ["controls.answer_read.Passport-Number"]),
        ("controls:\n", "optional_controls:\n", []),
        (
            "controls:\n      answer_read: [reader]",
            "optional_controls: {read: [phone]}",
            ["optional_controls.read.phone"],
        ),
        ("required: [amount]", "required: [email, phone]", ["required.email", "required.phone"]),
    ],
)
def test_a_stage_that_asks_for_what_no_request_may_say_is_refused(old: str, new: str, names: list[str]) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new)
    complaints: list[tuple[str, str]] = []
    try:
        read_process(text, "question.yml", 1, personal=PERSONAL)
    except InvalidDocument as error:
        complaints = [
            (complaint.field, complaint.message.partition(" is personal")[0]) for complaint in error.complaints
        ]
    assert complaints == [("stages.answering", name) for name in names]
    read(text)  # what was stored before is read as it was


def test_every_field_of_a_definition_is_read() -> None:
    process = read()
    assert (process.code, process.version, process.kind, process.product_lines) == (
        "question",
        3,
        RequestKind.ENQUIRY,
        ("motor",),
    )
    answering = process.stages["answering"]
    assert (answering.role, answering.is_key, answering.waits_for) == ("desk", True, Waiting.SUPPLIER)
    assert (answering.required, answering.controls) == (("amount",), {"answer_read": ("reader",)})
    assert process.stages_after("answering") == ("received",)
    assert process.outcomes == {
        "answered": Outcome(is_despite_doubts=True),
        "withdrawn": Outcome(("by_phone",), is_unchecked=True),
    }
    assert process.pauses == {"third_party": Waiting.THIRD_PARTY}
    assert process.reopening is not None
    assert process.reopening.within == timedelta(days=30)
    assert process.cancelling == ("duplicate",)


WAYS = {
    "claim": "received>assessment assessment>documents assessment>decision documents>assessment decision>payment"
    " decision>assessment payment>decision",
    "policy_service": "received>processing processing>done_check done_check>processing",
    "underwriting": "received>risk_assessment risk_assessment>offer offer>risk_assessment",
    "enquiry": "received>answering answering>received",
    "complaint": "received>investigation investigation>reply reply>investigation",
}


@pytest.mark.parametrize("kind", WAYS)
def test_the_shipped_general_processes_are_the_agreed_ones(kind: str) -> None:
    process = process_of(kind)
    found = {f"{stage}>{after}" for stage in process.stages for after in process.stages_after(stage)}
    assert found == set(WAYS[kind].split())
    assert process.start == "received"
    assert set(process.pauses) == {"customer_documents", "third_party", "customer_decision"}


@pytest.mark.parametrize("line", ["motor", "health", "life", "property", "travel"])
def test_a_claim_of_each_product_line_has_its_own_process_and_cannot_be_paid_unchecked(line: str) -> None:
    process = process_of("claim", line)
    assert process.code == f"claim_{line}"
    assert not process.outcomes["paid"].is_unchecked
    assert [stage for stage in process.stages if "paid" in process.outcomes_at(stage)] == ["payment"]
    assert process.stages["assessment"].controls
    assert process.outcomes["declined"].reasons


@pytest.mark.parametrize("name", PROCESSES)
def test_every_request_can_be_withdrawn_until_it_is_paid(name: str) -> None:
    process = PROCESSES[name]
    for stage in process.stages.keys() - {"payment"}:
        assert "withdrawn" in process.outcomes_at(stage)
    assert process.outcomes["withdrawn"].is_unchecked
    assert [name for name, outcome in process.outcomes.items() if outcome.is_despite_doubts] == ["withdrawn"]
    assert {"received"} == {stage for stage in process.stages if process.outcomes_at(stage) == ("withdrawn",)} or (
        process.kind in (RequestKind.ENQUIRY, RequestKind.POLICY_SERVICE)
    )


@pytest.mark.parametrize("name", PROCESSES)
def test_every_shipped_process_says_whose_turn_it_is_at_every_stage(name: str) -> None:
    assert all(stage.role is not None for stage in PROCESSES[name].stages.values())


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "message"),
    [
        ('format: "1"', 'format: "9"', 1, "format", "reads format 1"),
        ("process: question", "process: Question!", 2, "process", "lower-case"),
        ("kind: enquiry", "kind: lottery", 3, "kind", "is not one of claim"),
        ("start: received", "start: begun", 5, "start", "there is no stage 'begun'"),
        ("start: received", "start: received\ncolour: red", 6, "colour", "is not a known name here"),
        ("next: [answering]", "next: [gone]", 9, "stages.received.next[0]", "there is no stage 'gone'"),
        ("outcomes: [withdrawn]", "outcomes: [won]", 10, "stages.received.outcomes[0]", "there is no outcome 'won'"),
        ("key: true", "key: perhaps", 13, "stages.answering.key", "true or false"),
        ("waits_for: supplier", "waits_for: godot", 18, "stages.answering.waits_for", "is not one of customer"),
        ("next: [answering]", "next: []", 12, "stages.answering", "no move leads to this stage"),
        ("rework: [received]", "outcomes: []", 12, "stages.answering", "could neither be closed"),
        ("within: 30d", "within: soon", 23, "reopening.within", "is not a span"),
        ("stage: received,", "stage: gone,", 23, "reopening.stage", "there is no stage"),
        ("reasons: [more]", "reasons: []", 23, "reopening.reasons", "needs at least one reason"),
        ("  answered: {", "  answered: {}\n  answered: {", 21, "outcomes.answered", "is given twice"),
        ("[by_phone]", "[by_phone, by_phone]", 21, "outcomes.withdrawn.reasons[1]", "is named twice"),
        ("{third_party: third_party}", "{third_party: nobody}", 22, "pauses.third_party", "is not one of"),
        (
            "controls:\n      answer_read: [reader]",
            "controls: [read]",
            16,
            "stages.answering.controls",
            "must be a mapping",
        ),
        (
            "controls:\n      answer_read: [reader]",
            "controls:\n      answer_read: [reader]\n    optional_controls: {answer_read: []}",
            18,
            "stages.answering.optional_controls",
            "answer_read stands under controls too",
        ),
        ("cancelling: [duplicate]", "cancelling: [two words]", 24, "cancelling[0]", "is not a single word"),
    ],
)
def test_a_wrong_field_is_refused_with_its_place(old: str, new: str, line: int, field: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(InvalidDocument) as caught:
        read(TEXT.replace(old, new, 1))
    (complaint, *_) = caught.value.complaints
    assert (complaint.file, complaint.line, complaint.field) == ("question.yml", line, field)
    assert message in complaint.message


def test_the_definition_on_the_page_is_one() -> None:
    page = "docs/howto/change-a-process.md"
    text = (Path(__file__).parents[4] / page).read_text(encoding="utf-8")
    definition = text.partition("```yaml\n")[2].partition("```")[0]
    process = read_process(definition, page, 1, worded=WORDED)
    assert remark_on_process(process, definition, page) == []
    assert ProcessBook([*PROCESSES.values(), process]).choose(RequestKind.CLAIM, "cargo") == process


def test_all_complaints_about_stages_come_at_once() -> None:
    with pytest.raises(InvalidDocument) as caught:
        read(TEXT.replace("[answering]", "[gone]").replace("key: true", "key: perhaps"))
    assert [complaint.line for complaint in caught.value.complaints] == [9, 13]


def test_a_stage_that_customers_have_no_words_for_needs_its_own() -> None:
    text = TEXT.replace("answering", "pondering")
    with pytest.raises(InvalidDocument, match="no words for this stage"):
        read_process(text, "question.yml", 1, worded=Worded(frozenset({"received"}), frozenset({"third_party"})))
    own = "words: {" + ", ".join(f"{language}: {{name: N, now: W}}" for language in Language) + "}"
    process = read_process(
        text.replace("key: true", own),
        "question.yml",
        1,
        worded=Worded(frozenset({"received"}), frozenset({"third_party"})),
    )
    assert process.stages["pondering"].words[Language.ENGLISH].now == "W"


def test_a_reason_to_pause_that_customers_have_no_words_for_is_refused() -> None:
    with pytest.raises(InvalidDocument, match="no words for third_party"):
        read_process(
            TEXT,
            "question.yml",
            1,
            worded=Worded(frozenset({"received", "answering"}), frozenset({"customer_documents"})),
        )


def test_the_words_of_a_stage_are_none_for_a_reason_to_pause_of_its_name() -> None:
    motor = FILES["claim_motor.yml"].replace("pauses:\n", "pauses:\n  survey: supplier\n")
    with pytest.raises(InvalidDocument, match="the status page has no words for survey; it has for customer_decision"):
        read_process(motor, "claim_motor.yml", 1, worded=WORDED)


def test_the_words_of_a_reason_to_pause_are_none_for_a_stage_of_its_name() -> None:
    text = TEXT.replace("answering", "third_party")
    with pytest.raises(InvalidDocument, match="no words for this stage"):
        read_process(text, "question.yml", 1, worded=WORDED)


@pytest.mark.parametrize("text", ["", "[", "kind: [", "- 1", "\t: :", "a: &a [*a]"])
def test_what_is_no_definition_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument, match=r"^question\.yml, line 1"):
        read(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (ring(3_000, following="x"), "stages: holds 3000 stages; at most 100 are taken"),
        (ring(10_000), "stages: holds 10000 stages; at most 100 are taken"),
        (chain(1_000), "stages: holds 1000 stages; at most 100 are taken"),
        (
            ring(2) + "".join(f"  o{number}: {{}}\n" for number in range(MOST_STAGES)),
            "outcomes: holds 101 outcomes; at most 100 are taken",
        ),
        (
            ring(2) + f"cancelling: [{', '.join(f'r{number}' for number in range(MOST_VALUES))}]",
            "document: stands for more than 20000 values; aliases count as what they stand for",
        ),
        (
            TEXT.replace("[amount]", "&many [" + ", ".join(f"a{number}" for number in range(1_000)) + "]").replace(
                "[reader]", "*many\n" + "".join(f"      c{number}: *many\n" for number in range(30))
            ),
            "document: stands for more than 20000 values; aliases count as what they stand for",
        ),
    ],
    ids=["stages with an unknown next", "a ring", "a chain", "outcomes", "reasons", "aliases"],
)
def test_what_is_too_large_is_refused_by_its_number_and_read_no_further(text: str, complaint: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read(text)
    assert [f"{each.field}: {each.message}" for each in caught.value.complaints] == [complaint]


def test_as_many_stages_as_are_taken_are_read() -> None:
    assert len(read(ring(MOST_STAGES)).stages) == MOST_STAGES


def test_what_requests_follow_already_is_read_whatever_its_size() -> None:
    process = read_process(chain(1_000), "chain version 1", 1, is_stored=True)
    assert len(process.stages) == 1_000


def test_complaints_name_a_few_of_the_names_that_are_known() -> None:
    with pytest.raises(InvalidDocument) as caught:
        read(ring(MOST_STAGES, following="x"))
    first, *_ = caught.value.complaints
    assert len(caught.value.complaints) == MOST_STAGES
    known = "s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 90 more"
    assert (first.line, first.message) == (6, f"there is no stage 'x'; known are {known}")


def test_a_value_that_is_endless_makes_no_endless_complaint() -> None:
    text = ring(MOST_STAGES, following="*name").replace("process: ring", f"process: &name {'r' * 100_000}")
    with pytest.raises(InvalidDocument) as caught:
        read(text)
    assert len(str(caught.value)) < 2_000
    unknown = ring(MOST_STAGES, following="*name").replace("start: s0", f"start: s0\n{'c' * 100_000}: red", 1)
    with pytest.raises(InvalidDocument) as caught:
        read(unknown.replace("*name", "s0"))
    assert len(str(caught.value)) < 2_000


@given(st.data())
def test_whatever_is_done_to_a_definition_it_is_read_or_refused(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(sorted(FILES.values())))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    mangled = text[:start] + data.draw(st.text(max_size=20)) + text[end:]
    with suppress(InvalidDocument):
        read(mangled)
