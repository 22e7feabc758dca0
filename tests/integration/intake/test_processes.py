"""Process definitions over HTTP: read, checked, compared, put in force, drawn."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.intake.handlers.processes import Processes
from shared.errors import ConfigurationError
from shared.ids import new_id
from tests.integration.intake.front_door import Intake
from tests.unit.intake.shipped import FILES, PERSONAL, PROCESSES, WORDED

MOTOR = FILES["claim_motor.yml"]
YAML = {"Content-Type": "text/yaml"}


@dataclass(frozen=True)
class Own:
    """A process that only one test knows.

    Attributes:
        code: its name, and the name of its product line.
        text: its definition.
    """

    code: str
    text: str

    async def put(self, intake: Intake, text: str | None = None, seen: str | None = None) -> Any:
        content = (self.text if text is None else text).encode()
        path = f"/v1/processes/{self.code}"
        headers = YAML | ({"If-Match": seen} if seen is not None else {})
        return await intake.staff.put(path, content=content, params={"reason": "a test"}, headers=headers)


@pytest.fixture
def own() -> Own:
    code = f"claim_{new_id().hex[-12:]}"
    return Own(code, MOTOR.replace("process: claim_motor", f"process: {code}").replace("[motor]", f"[{code}]"))


def newest_of(processes: Processes, code: str) -> int | None:
    newest = processes.book.newest(code)
    return newest.version if newest is not None else None


async def test_the_shipped_definitions_are_in_force(intake: Intake) -> None:
    found = (await intake.app.get("/v1/processes")).json()
    assert {(each["process"], each["version"]) for each in found} == {(p.code, 1) for p in PROCESSES.values()}
    one = (await intake.app.get("/v1/processes/claim_motor")).json()
    assert (one["source"], one["origin"], one["author"]) == (MOTOR, "file", "claim_motor.yml")


async def test_two_editors_do_not_undo_each_others_work_unseen(intake: Intake, own: Own) -> None:
    none = await own.put(intake, seen='"1"')
    assert (none.status_code, none.json()["type"]) == (412, "urn:punctual:problem:superseded")
    made = await own.put(intake)
    shown = await intake.staff.get(f"/v1/processes/{own.code}")
    seen = shown.headers["etag"]
    assert (made.headers["etag"], seen) == ('"1"', '"1"')
    drafts = [own.text.replace("90d", f"{days}d") for days in (30, 40, 50)]
    answers = await asyncio.gather(*(own.put(intake, draft, seen) for draft in drafts))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    (won,) = [n for n, answer in enumerate(answers) if answer.status_code == 200]
    assert answers[won].headers["etag"] == '"2"'
    lost = answers[won - 1]
    assert (lost.headers["etag"], lost.json()["errors"][0]["field"]) == ('"2"', "header:If-Match")
    again = await own.put(intake, drafts[won], seen)  # whoever did not get the answer sends it again
    assert (again.status_code, again.json()["new"]) == (200, False)
    old = await intake.staff.get(f"/v1/processes/{own.code}", params={"version": 1})
    assert (old.headers["etag"], old.json()["source"]) == ('"1"', own.text)
    assert (await own.put(intake, drafts[won - 1], "*")).json()["version"] == 3
    assert (await own.put(intake, own.text, "1")).status_code == 422


async def test_a_new_version_is_for_new_requests_and_older_ones_keep_theirs(intake: Intake, own: Own) -> None:
    await own.put(intake)
    older = await intake.submit(product_line=own.code)
    text = own.text.replace("next: [survey, decision]", "next: [survey]")
    answer = await own.put(intake, text)
    assert (answer.status_code, answer.json()["version"], answer.json()["new"]) == (200, 2, True)
    again = await own.put(intake, text)
    assert (again.json()["version"], again.json()["new"]) == (2, False)
    newer = await intake.submit(product_line=own.code)
    stages = {}
    for view in (older, newer):
        moved = await intake.move(view["reference"], "stage", stage="assessment")
        stages[moved.json()["process_version"]] = moved.json()["next"]["stages"]
    assert stages == {1: ["survey", "decision", "documents"], 2: ["survey", "documents"]}
    history = (await intake.app.get(f"/v1/processes/{own.code}/versions")).json()
    assert [(each["version"], each["author"], each["reason"]) for each in history] == [
        (2, "staff", "a test"),
        (1, "staff", "a test"),
    ]
    changed = (await intake.app.get(f"/v1/processes/{own.code}/differences", params={"from": 1})).json()
    assert changed["differences"] == ["stage assessment, next: survey, decision becomes survey"]


async def test_the_same_file_again_does_not_take_back_what_was_applied(intake: Intake, own: Own) -> None:
    files = {**FILES, "own.yml": own.text}
    await Processes(intake.database, intake.clock, files, WORDED, PERSONAL).start()
    await intake.context.processes.follow()
    assert (await own.put(intake, own.text.replace("90d", "30d"))).json()["version"] == 2
    restarted = Processes(intake.database, intake.clock, files, WORDED, PERSONAL)
    await restarted.start()
    assert newest_of(restarted, own.code) == 2


async def test_another_process_learns_of_a_new_version(intake: Intake, own: Own) -> None:
    other = Processes(intake.database, intake.clock, FILES, WORDED, PERSONAL)
    await other.start()
    assert newest_of(other, own.code) is None
    await own.put(intake)
    await other.follow()
    assert newest_of(other, own.code) == 1


async def test_a_changed_file_is_a_new_version_at_the_next_start(intake: Intake, own: Own) -> None:
    for version, text in ((1, own.text), (1, own.text), (2, own.text.replace("90d", "10d"))):
        started = Processes(intake.database, intake.clock, {**FILES, "own.yml": text}, WORDED, PERSONAL)
        await started.start()
        assert newest_of(started, own.code) == version


async def test_a_file_that_was_replaced_comes_into_force_again_and_is_logged(intake: Intake, own: Own) -> None:
    newer = own.text.replace("90d", "10d")
    versions, logged = [], []
    for text in (own.text, newer, newer, own.text):
        with capture_logs() as logs:
            started = Processes(intake.database, intake.clock, {**FILES, "own.yml": text}, WORDED, PERSONAL)
            await started.start()
        versions.append(newest_of(started, own.code))
        logged.append([(log["process"], log["file"]) for log in logs if log["log_level"] == "warning"])
    assert versions == [1, 2, 2, 3]
    assert logged == [[], [], [], [(own.code, "own.yml")]]


async def test_a_broken_file_stops_the_start_with_file_line_and_field(intake: Intake) -> None:
    broken = {**FILES, "enquiry.yml": FILES["enquiry.yml"].replace("next: [answering]", "next: [gone]")}
    place = r"enquiry\.yml, line 9, stages\.received\.next\[0\]: there is no stage"
    with pytest.raises(ConfigurationError, match=place):
        await Processes(intake.database, intake.clock, broken, WORDED, PERSONAL).start()


async def test_a_text_that_was_put_in_force_before_sizes_were_bounded_stops_nothing(
    intake: Intake, own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    await own.put(intake)
    files = FILES | {"own.yml": own.text}
    await Processes(intake.database, intake.clock, files, WORDED, PERSONAL).start()
    newer = own.text.replace("90d", "30d")
    monkeypatch.setattr("services.intake.domain.process_files.MOST_STAGES", 2)

    started = Processes(intake.database, intake.clock, files, WORDED, PERSONAL)
    await started.start()
    assert newest_of(started, own.code) == 2
    again = await own.put(intake)
    assert (again.status_code, again.json()["version"], again.json()["new"]) == (200, 2, False)
    assert (await own.put(intake, newer)).status_code == 422
    assert (await own.put(intake, own.text + "\0")).status_code == 422
    with pytest.raises(ConfigurationError, match=r"own\.yml, line .* at most 2 are taken"):
        await Processes(intake.database, intake.clock, FILES | {"own.yml": newer}, WORDED, PERSONAL).start()


async def test_two_files_of_one_process_stop_the_start(intake: Intake) -> None:
    files = {**FILES, "enquiry2.yml": FILES["enquiry.yml"]}
    with pytest.raises(ConfigurationError, match="both define process enquiry"):
        await Processes(intake.database, intake.clock, files, WORDED, PERSONAL).start()


async def test_a_wrong_definition_is_refused_with_every_place(intake: Intake, own: Own) -> None:
    await own.put(intake)
    wrong = own.text.replace("[survey, decision]", "[gone]").replace("waits_for: supplier", "waits_for: godot")
    answer = await own.put(intake, wrong)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:punctual:problem:process_invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [
        "stages.assessment.next[0]",
        "stages.survey.waits_for",
    ]
    for text, status in (("", 422), (FILES["enquiry.yml"], 422), (own.text.replace(f"[{own.code}]", "[health]"), 409)):
        assert (await own.put(intake, text)).status_code == status
    path, query = f"/v1/processes/{own.code}", {"reason": "r"}
    assert (await intake.staff.put(path, content=b"\xff", params=query, headers=YAML)).status_code == 422
    assert (await intake.app.get(path)).json()["version"] == 1


async def test_a_stage_that_could_never_be_left_is_refused_by_lint_and_apply(intake: Intake, own: Own) -> None:
    text = own.text.replace("required: [amount]", "required: [amount, email]", 1)
    assert text != own.text
    answer = await own.put(intake, text)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "stages.assessment")
    checked = (await intake.staff.post("/v1/processes:lint", content=text.encode(), headers=YAML)).json()
    assert [error["field"] for error in checked["errors"]] == ["stages.assessment"]
    assert "required.email is personal" in checked["errors"][0]["message"]


async def test_of_many_errors_the_first_are_named_and_the_others_counted(intake: Intake, own: Own) -> None:
    text = own.text.replace("\nstages:\n", "\nstages:\n" + "".join(f"  s{n}: {{next: gone}}\n" for n in range(60)), 1)
    refused = (await own.put(intake, text)).json()["errors"]
    checked = (await intake.staff.post("/v1/processes:lint", content=text.encode(), headers=YAML)).json()["errors"]
    compared = await intake.staff.post("/v1/processes:diff", content=text.encode(), headers=YAML)
    assert (len(refused), refused[-1]) == (51, {"field": "body", "message": "and 10 more are missing or wrong"})
    assert (len(checked), checked[-1]["message"]) == (51, "and 10 more are wrong")
    assert compared.json()["errors"] == refused


async def test_a_draft_is_checked_and_compared_without_being_used(intake: Intake, own: Own) -> None:
    await own.put(intake)
    text = own.text.replace("role: payments", "role: tellers")
    checked = await intake.staff.post("/v1/processes:lint", content=text.encode(), headers=YAML)
    assert checked.json() == {"errors": [], "remarks": []}
    compared = (await intake.staff.post("/v1/processes:diff", content=text.encode(), headers=YAML)).json()
    assert compared["differences"] == ["stage payment, role: payments becomes tellers"]
    assert (await intake.app.get(f"/v1/processes/{own.code}")).json()["version"] == 1


async def test_concurrent_changes_of_one_process_each_get_a_version(intake: Intake, own: Own) -> None:
    texts = [own.text.replace("90d", f"{days}d") for days in range(31, 39)]
    answers = await asyncio.gather(*(own.put(intake, text) for text in texts))
    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, 9))


async def test_it_is_drawn(intake: Intake) -> None:
    picture = await intake.app.get("/v1/processes/claim_motor/diagram.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    ET.fromstring(picture.text)
    mermaid = await intake.app.get("/v1/processes/claim_motor/diagram.mmd", params={"version": 1})
    assert mermaid.text.startswith("stateDiagram-v2")


async def test_a_channel_reads_definitions_and_changes_none(intake: Intake) -> None:
    assert (await intake.app.get("/v1/processes/claim_motor")).status_code == 200
    for call in (
        intake.app.put("/v1/processes/claim_motor", content=b"", params={"reason": "r"}, headers=YAML),
        intake.app.post("/v1/processes:lint", content=b"a: 1", headers=YAML),
        intake.app.post("/v1/processes:diff", content=b"a: 1", headers=YAML),
    ):
        assert (await call).status_code == 403


@pytest.mark.parametrize(
    "path", ["no_such", "no_such/versions", "claim?version=7", "no_such/diagram.svg", "claim/differences?from=9"]
)
async def test_what_is_not_there_is_404(intake: Intake, path: str) -> None:
    answer = await intake.app.get(f"/v1/processes/{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:punctual:problem:process_not_found")
