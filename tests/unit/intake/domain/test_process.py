"""Process definitions: what ships is what was agreed, and a wrong file is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import services.intake
from services.intake.app import load_processes
from services.intake.domain.process import Process, ProcessBook, parse_process
from shared.contracts.payload import RequestKind
from shared.errors import ConfigurationError

FOLDER = Path(services.intake.__file__).parent / "data" / "processes"

DEFINITION = {
    "kind": "enquiry",
    "version": 1,
    "start": "received",
    "stages": {"received": {"next": ["answering"], "outcomes": ["withdrawn"]}, "answering": {}},
    "outcomes": ["answered", "withdrawn"],
    "pause_reasons": ["third_party"],
}


def parse(**changes: object) -> Process:
    return parse_process(yaml.safe_dump(DEFINITION | changes), "enquiry.yml")


@pytest.mark.parametrize(
    ("kind", "moves"),
    [
        ("claim", "received>assessment assessment>documents assessment>decision documents>assessment decision>payment"),
        ("policy_service", "received>processing processing>done_check"),
        ("underwriting", "received>risk_assessment risk_assessment>offer"),
        ("enquiry", "received>answering"),
        ("complaint", "received>investigation investigation>reply"),
    ],
)
def test_the_shipped_processes_are_the_agreed_ones(kind: str, moves: str) -> None:
    process = load_processes(FOLDER).current(RequestKind(kind))
    found = {f"{stage}>{after}" for stage in process.stages for after in process.stages_after(stage)}
    assert found == set(moves.split())
    assert process.start == "received"
    assert process.version == 1
    assert set(process.pause_reasons) == {"customer_documents", "third_party", "customer_decision"}


@pytest.mark.parametrize("kind", ["claim", "underwriting", "complaint"])
def test_these_kinds_cannot_be_decided_before_anybody_looked(kind: str) -> None:
    process = load_processes(FOLDER).current(RequestKind(kind))
    assert process.outcomes_at("received") == ("withdrawn",)
    for stage in process.stages.keys() - {"received"}:
        assert process.outcomes_at(stage) == process.outcomes
        assert len(process.outcomes) == 3


@pytest.mark.parametrize("kind", list(RequestKind))
def test_every_request_can_be_withdrawn_at_every_stage(kind: RequestKind) -> None:
    process = load_processes(FOLDER).current(kind)
    assert all("withdrawn" in process.outcomes_at(stage) for stage in process.stages)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "lottery"}, "enquiry.yml: kind: "),
        ({"version": 0}, "enquiry.yml: version: "),
        ({"stages": {}}, "enquiry.yml: stages: "),
        ({"colour": "red"}, "enquiry.yml: colour: "),
        ({"start": "begun"}, "enquiry.yml: start: begun is no stage of this process"),
        ({"stages": {"received": {"next": ["gone"]}}}, "enquiry.yml: stages.received.next: gone is no stage"),
        ({"stages": {"received": {"outcomes": ["won"]}}}, "enquiry.yml: stages.received.outcomes: won is no outcome"),
        ({"stages": {"received": {"outcomes": []}}}, "enquiry.yml: stages.received: a request could neither"),
        ({"stages": {"received": {}, "island": {}}}, "enquiry.yml: stages.island: no move leads"),
    ],
)
def test_a_wrong_definition_is_refused_with_file_and_field(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(**changes)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", ["", "[", "kind: [", "- 1", "\t: :"])
def test_what_is_no_definition_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^enquiry\.yml: "):
        parse_process(text, "enquiry.yml")


def shipped_but(kind: RequestKind) -> list[Process]:
    return [process for process in load_processes(FOLDER).all() if process.kind is not kind]


def test_new_requests_begin_with_the_newest_version_and_old_ones_keep_theirs() -> None:
    book = ProcessBook([*shipped_but(RequestKind.ENQUIRY), parse(version=2), parse(version=1)])
    assert book.current(RequestKind.ENQUIRY).version == 2
    assert book.version(RequestKind.ENQUIRY, 1).version == 1


def test_a_version_that_was_removed_is_named_when_a_request_needs_it() -> None:
    with pytest.raises(ConfigurationError, match="enquiry version 7"):
        load_processes(FOLDER).version(RequestKind.ENQUIRY, 7)


def test_a_version_can_be_defined_only_once() -> None:
    with pytest.raises(ConfigurationError, match="defined twice"):
        ProcessBook([*load_processes(FOLDER).all(), parse()])


def test_every_kind_needs_a_process() -> None:
    with pytest.raises(ConfigurationError, match="no process is defined for complaint"):
        ProcessBook(shipped_but(RequestKind.COMPLAINT))


def test_a_folder_without_processes_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PUNCTUAL_INTAKE_DATA_FOLDER"):
        load_processes(tmp_path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "claim.yml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="utf-8"):
        load_processes(tmp_path)
