"""What is said and drawn of a process: remarks, differences, diagrams."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake.domain.process import Outcome, Process, Reopening, Stage
from services.intake.domain.process_diagram import draw_mermaid, draw_svg
from services.intake.domain.process_differences import find_process_differences
from services.intake.domain.process_files import read_process
from services.intake.domain.process_linting import remark_on_process
from tests.unit.intake.rings import chain, ring
from tests.unit.intake.shipped import FILES, PROCESSES, process_of

CLAIM = process_of("claim")
MOTOR = process_of("claim", "motor")
SVG = "{http://www.w3.org/2000/svg}"

ODD = """\
format: "1"
process: odd
kind: enquiry
start: received
stages:
  received:
    next: [received, answering]
    rework: [answering]
  answering:
    role: desk
    required: [amount]
    outcomes: [withdrawn]
outcomes:
  answered: {}
  forgotten: {}
  withdrawn: {unchecked: true}
"""


def test_remarks_name_what_may_not_be_meant() -> None:
    text = ODD.replace("    rework: [answering]\n", "    rework: [answering]\n    outcomes: [answered]\n")
    remarks = remark_on_process(read_process(text, "odd.yml", 1), text, "odd.yml")
    assert [(remark.line, remark.where, remark.message.partition(":")[0]) for remark in remarks] == [
        (7, "received", "nobody's turn"),
        (7, "received", "answering can be entered with and without what is asked for, so nothing is asked for"),
        (7, "received", "may follow itself; entering it again asks for its control points anew"),
        (11, "answering", "asks for something, but every way out of it is unchecked"),
        (1, "odd", "no request can end with outcome forgotten"),
        (1, "odd", "no outcome is despite_doubts"),
        (1, "odd", "has no key stage"),
        (1, "odd", "has no quality control point"),
        (1, "odd", "has no reason to pause"),
    ]


@pytest.mark.parametrize("name", PROCESSES)
def test_nothing_is_odd_about_the_shipped_processes(name: str) -> None:
    assert remark_on_process(PROCESSES[name], FILES[name], name) == []


def test_optional_controls_are_drawn_apart_from_what_holds_every_request_up() -> None:
    drawn = draw_mermaid(CLAIM)
    assert "documents : documents · claims_assessor · ◆ documents_complete\n" in drawn
    assert "decision : decision · claims_decider · key stage · ◇ decision_agreed\n" in drawn
    pictured = draw_svg(CLAIM)
    assert ">documents ◆<" in pictured
    assert ">decision ◇<" in pictured


def test_a_process_does_not_differ_from_itself_nor_by_its_version() -> None:
    for process in PROCESSES.values():
        assert find_process_differences(process, replace(process, version=9)) == []


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (replace(CLAIM, start="assessment"), "start: received becomes assessment"),
        (replace(CLAIM, stages={**CLAIM.stages, "audit": Stage()}), "stage audit is new"),
        (
            replace(CLAIM, stages={n: s for n, s in CLAIM.stages.items() if n != "documents"}),
            "stage documents is gone",
        ),
        (
            replace(CLAIM, stages={**CLAIM.stages, "payment": Stage("tellers", rework=("decision",))}),
            "stage payment, role: payments becomes tellers",
        ),
        (
            replace(CLAIM, stages={**CLAIM.stages, "decision": replace(CLAIM.stages["decision"], is_key=False)}),
            "stage decision, key: yes becomes no",
        ),
        (
            replace(CLAIM, outcomes={**CLAIM.outcomes, "paid": Outcome(("small",))}),
            "outcome paid, reasons: none becomes small",
        ),
        (
            replace(CLAIM, outcomes={**CLAIM.outcomes, "paid": Outcome(is_despite_doubts=True)}),
            "outcome paid, despite_doubts: no becomes yes",
        ),
        (
            replace(CLAIM, reopening=Reopening(timedelta(days=3), "assessment", ("more",))),
            None,
        ),
        (replace(CLAIM, pauses={}), None),
    ],
)
def test_every_difference_is_said(after: Process, sentence: str | None) -> None:
    found = find_process_differences(CLAIM, after)
    assert len(found) == 1
    assert sentence is None or found == [sentence]


@pytest.mark.parametrize("name", PROCESSES)
def test_the_picture_shows_every_stage_once_and_every_way(name: str) -> None:
    process = PROCESSES[name]
    picture = ET.fromstring(draw_svg(process))
    assert len(picture.findall(f".//{SVG}rect")) == len(process.stages)
    ways = [path for path in picture.findall(f"{SVG}path") if "marker-end" in path.attrib]
    assert len(ways) == sum(len(process.stages_after(stage)) for stage in process.stages)
    places = {(box.get("x"), box.get("y")) for box in picture.iter(f"{SVG}rect")}
    assert len(places) == len(process.stages)


def test_a_stage_stands_right_of_those_that_lead_to_it() -> None:
    picture = ET.fromstring(draw_svg(MOTOR))
    left = {text.text: int(text.get("x", "0")) for text in picture.iter(f"{SVG}text") if text.get("class") is None}
    named = {str(name).removesuffix(" ◆"): x for name, x in left.items()}
    assert named["received"] < named["assessment"] < named["survey"] < named["decision"] < named["payment"]


@pytest.mark.parametrize("text", [chain(1_000), ring(1_000)], ids=["chain", "ring"])
def test_one_that_was_put_in_force_before_sizes_were_bounded_is_drawn(text: str) -> None:
    process = read_process(text, "ring version 1", 1, is_stored=True)
    boxes = ET.fromstring(draw_svg(process)).findall(f".//{SVG}rect")
    lefts = [int(box.get("x", "0")) for box in boxes]
    assert lefts == sorted(set(lefts))
    assert len(lefts) == 1_000


def test_the_mermaid_diagram_has_every_stage_way_and_end() -> None:
    text = draw_mermaid(MOTOR)
    assert text.startswith("stateDiagram-v2\n    [*] --> received\n")
    assert "    assessment --> survey\n" in text
    assert "    survey --> assessment : rework\n" in text
    assert "    payment --> [*] : paid\n" in text
    assert "◆ cover_checked" in text
