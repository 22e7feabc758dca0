"""The commands about processes, requests and rules of automation, against the service's own API over a real socket."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import asyncpg
import httpx
import pytest

from shared.ids import new_id
from tests.integration.command_line import Run, command_line, listening
from tests.integration.intake.front_door import SUBMISSION, Intake
from tests.unit.intake.shipped import AUTOMATION, FILES


@pytest.fixture
async def run(intake: Intake, tmp_path: Path) -> AsyncIterator[Run]:
    app: Any = cast("httpx.ASGITransport", intake.staff._transport).app
    async with listening(app) as url:
        yield command_line(PUNCTUAL_INTAKE_URL=url, PUNCTUAL_STAFF_KEY="key of staff", PUNCTUAL_HOME=str(tmp_path))


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A process and a product line that only one test knows; the file is named after both."""
    code = f"claim_{new_id().hex[-12:]}"
    text = FILES["claim_motor.yml"].replace("process: claim_motor", f"process: {code}").replace("[motor]", f"[{code}]")
    file = tmp_path / f"{code}.yml"
    file.write_text(text, encoding="utf-8")
    return file


async def test_a_process_is_applied_shown_compared_and_its_history_told(run: Run, draft: Path) -> None:
    code, text = draft.stem, draft.read_text(encoding="utf-8")
    unknown = await run("process", "diff", str(draft))
    assert unknown[0] == 1
    assert f"there is no process {code} yet" in unknown[1]

    applied = await run("process", "apply", str(draft), "--reason", "a line of its own")
    assert applied == (0, f"Version 1 of {code} is in force.\n")
    assert await run("process", "show", code) == (0, text)
    assert await run("process", "diff", str(draft)) == (0, "Nothing is different.\n")
    again = await run("process", "apply", str(draft), "--reason", "once more")
    assert again == (0, f"Nothing is new: this text is version 1 of {code}.\n")

    draft.write_text(text.replace("reasons: [not_covered", "reasons: [too_late, not_covered"), encoding="utf-8")
    status, told = await run("process", "diff", str(draft))
    assert (status, "too_late" in told) == (0, True)
    status, told = await run("process", "apply", str(draft), "--reason", "late claims", "--json")
    assert (status, json.loads(told)["version"], json.loads(told)["new"]) == (0, 2, True)

    assert await run("process", "show", code, "--version", "1") == (0, text)
    status, table = await run("process", "history", code)
    newest, first = [line for line in table.splitlines() if "staff" in line]
    assert (status, "late claims" in newest, "a line of its own" in first) == (0, True, True)
    (one,) = json.loads((await run("process", "history", code, "--limit", "1", "--json"))[1])
    assert (one["version"], one["author"], one["reason"], one["origin"]) == (2, "staff", "late claims", "api")


async def test_the_processes_in_force_are_listed_and_drawn(run: Run) -> None:
    listed = json.loads((await run("process", "show", "--json"))[1])
    assert {"claim_motor", "complaint"} <= {process["process"] for process in listed}
    assert "claim_motor" in (await run("process", "show"))[1]
    assert (await run("process", "show", "claim_motor", "--diagram", "mermaid"))[1].startswith("stateDiagram")
    assert (await run("process", "show", "claim_motor", "--diagram", "svg"))[1].startswith("<svg")


async def test_a_process_that_cannot_be_used_is_refused_with_line_and_field_and_changes_nothing(
    run: Run, draft: Path
) -> None:
    draft.write_text(draft.read_text(encoding="utf-8").replace("kind: claim", "kind: lottery", 1), encoding="utf-8")
    for command in (("diff", str(draft)), ("apply", str(draft), "--reason", "why not")):
        status, told = await run("process", *command)
        title, error = told.splitlines()
        assert (status, title) == (1, "punctual: The definition cannot be used. What was in force stays")
        assert re.match(r"  kind: line \d+: 'lottery' is not one of claim, ", error)
    status, told = await run("process", "history", draft.stem)
    assert (status, f"there is no process {draft.stem}" in told) == (1, True)


async def test_verifying_ends_with_one_when_a_history_is_not_what_was_written(
    intake: Intake, run: Run, database_urls: dict[str, str]
) -> None:
    view, untouched = [await intake.submit() for _ in range(2)]
    reference = view["reference"]
    await intake.move(reference, "response")
    status, told = await run("requests", "verify", reference)
    assert (status, told) == (0, "1 requests, 2 entries, 0 do not hold\n")
    status, told = await run("requests", "verify")
    assert (status, told.endswith(" 0 do not hold\n")) == (0, True)

    administrator = await asyncpg.connect(database_urls["admin"])
    await administrator.execute(
        "UPDATE intake.request_event SET caller = 'web' WHERE request_id = $1 AND sequence = 2", UUID(view["id"])
    )
    await administrator.close()

    status, told = await run("requests", "verify", reference)
    assert status == 1
    assert f"{reference}: entry 2 is not what was written" in told
    assert "1 requests, 2 entries, 1 do not hold" in told
    status, told = await run("requests", "verify", "--json")
    (problem,) = json.loads(told)["problems"]
    assert (status, problem["reference"]) == (1, reference)
    assert (await run("requests", "verify", untouched["reference"]))[0] == 0
    status, told = await run("requests", "verify", "K7M4Q-2XD9D")
    assert (status, told.startswith("punctual: The reference is mistyped")) == (1, True)


async def test_rules_of_automation_are_shown_applied_and_kept_when_others_cannot_be_used(
    run: Run, tmp_path: Path
) -> None:
    assert await run("automation", "show") == (0, AUTOMATION)
    file = tmp_path / "automation.yml"
    file.write_text(AUTOMATION.replace("held_back: 0.1", "held_back: 0.2"), encoding="utf-8")
    applied = await run("automation", "apply", str(file), "--reason", "one in five")
    assert applied == (0, "Version 2 is in force.\n")
    assert await run("automation", "apply", str(file), "--reason", "again") == (0, "Version 2 was in force already.\n")
    shown = json.loads((await run("automation", "show", "--json"))[1])
    assert (shown["version"], shown["author"], shown["reason"]) == (2, "staff", "one in five")
    assert shown["source"] == file.read_text(encoding="utf-8")

    file.write_text(AUTOMATION.replace("held_back: 0.1", "held_back: often"), encoding="utf-8")
    status, told = await run("automation", "apply", str(file), "--reason", "a slip")
    assert (status, told.splitlines()[0]) == (1, "punctual: The rules cannot be used. What was in force stays")
    assert told.splitlines()[1].startswith("  rules[0].held_back: line ")
    assert json.loads((await run("automation", "show", "--json"))[1])["version"] == 2


async def test_rules_of_automation_are_checked_without_a_server(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "automation.yml"
    file.write_text(AUTOMATION, encoding="utf-8")
    assert await run("automation", "lint", str(file)) == (0, "Nothing is wrong or odd.\n")
    file.write_text(AUTOMATION.replace("controls_", "no_controls_"), encoding="utf-8")
    status, told = await run("automation", "lint", str(file))
    assert (status, ", next_when_complete: remark: is_complete holds from the beginning" in told) == (0, True)
    assert json.loads((await run("automation", "lint", str(file), "--json"))[1])["errors"] == []
    file.write_text(AUTOMATION.replace("held_back: 0.1", "held_back: often"), encoding="utf-8")
    status, told = await run("automation", "lint", str(file))
    assert (status, f"{file}, line " in told, "rules[0].held_back: " in told) == (1, True, True)


async def test_a_trial_tells_what_is_held_back_apart(run: Run, intake: Intake, tmp_path: Path) -> None:
    intake.clock.advance(timedelta(days=30))
    reference = (await intake.submit(customer=SUBMISSION["customer"] | {"id": "T-1"}))["reference"]
    file = tmp_path / "automation.yml"
    rule = "{rule: tell, held_back: 1, when: {kind: claim}, do: [{signal: told}]}"
    file.write_text(f'format: "1"\nrules: [{rule}]', encoding="utf-8")
    since = intake.clock.now().isoformat()
    status, told = await run("automation", "try", str(file), "--from", since)
    assert (status, told.splitlines()[0]) == (0, "tell: would have acted on 0 of 1 requests, held back 1")
    assert re.fullmatch(rf"  {reference} after entry 1, \S+, held back", told.splitlines()[1])


async def test_who_may_not_change_processes_is_told_so(run: Run, draft: Path) -> None:
    status, told = await run("process", "apply", str(draft), "--reason", "mine", "--key", "key of app")
    assert status == 1
    assert "administrator" in told
