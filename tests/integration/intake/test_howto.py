"""The curl examples of the pages about intake, in order, with the answers the pages promise."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.integration.intake.curl import examples_of, read_curl
from tests.integration.intake.front_door import Intake

PAGE = Path(__file__).parents[3] / "docs/howto/send-requests.md"
PERSONAL_PAGE = PAGE.with_name("personal-data.md")
VALIDATION_PAGE = PAGE.with_name("validate-at-the-door.md")


async def test_every_example_gets_the_answer_the_page_promises(intake: Intake) -> None:
    page = PAGE.read_text(encoding="utf-8")
    values = {"INTAKE": "http://intake", "KEY": "key of app"}
    refusals = []
    for status, command in examples_of(page):
        method, url, headers, content = read_curl(command, values)
        answer = await intake.nobody.request(method, url, headers=headers, content=content)
        assert answer.status_code == status, f"{command}\n{answer.text}"
        if url.endswith(":batch"):
            assert_lines_are_answered_as(page, answer.text)
        if status == 201:
            values |= {"REFERENCE": answer.json()["reference"], "STATUS_URL": answer.json()["status_url"]}
        if status == 409:
            refusals.append(answer.json())
    assert f'"detail": "{refusals[-1]["detail"]}"' in page


async def test_the_examples_about_validation_get_the_answers_their_page_promises(intake: Intake) -> None:
    page = VALIDATION_PAGE.read_text(encoding="utf-8")
    answers = []
    reference = ""
    for status, command in examples_of(page):
        caller = "app" if command.startswith("curl -X POST $INTAKE/v1/requests ") else "staff"
        values = {"INTAKE": "http://intake", "KEY": f"key of {caller}", "REFERENCE": reference}
        method, url, headers, content = read_curl(command, values)
        answer = await intake.nobody.request(method, url, headers=headers, content=content)
        assert answer.status_code == status, f"{command}\n{answer.text}"
        answers.append(answer.json())
        if status == 201:
            reference = answer.json()["reference"]
    shown = json.loads(re.findall(r"```json\n(.*?)```", page, re.DOTALL)[0])
    assert {name: answers[0][name] for name in shown} == shown
    assert reference in {each["reference"] for each in answers[2]}
    assert answers[4]["findings"] == {
        "currency_has_three_letters": "confirmed",
        "claim_within_sum_insured": "dismissed",
    }
    assert answers[-1]["rates"][0]["wrong"] >= 1


async def test_the_examples_about_personal_data_get_the_answers_their_page_promises(intake: Intake) -> None:
    values = {"INTAKE": "http://intake", "KEY": "key of app", "ADMIN": "key of staff"}
    answers = []
    for status, command in examples_of(PERSONAL_PAGE.read_text(encoding="utf-8")):
        method, url, headers, content = read_curl(command, values)
        answer = await intake.nobody.request(method, url, headers=headers, content=content)
        assert answer.status_code == status, f"{command}\n{answer.text}"
        answers.append(answer.json())
        values |= {
            name: str(answers[-1][field])
            for name, field in (("REFERENCE", "reference"), ("CUSTOMER", "customer_id"))
            if field in answers[-1]
        }
    assert answers[1]["name"] == "Chan Siu Ming"
    assert [check["what"] for check in answers[-1]["checks"] if not check["holds"]] == ["notifier"]


def assert_lines_are_answered_as(page: str, answers: str) -> None:
    """The page shows the line, status and type of each answer."""
    shown = [json.loads(text) for text in re.findall(r'^\{"line".*$', page, re.MULTILINE)]
    got = [json.loads(text) for text in answers.splitlines()]
    assert [_gist(answer) for answer in got] == [_gist(answer) for answer in shown]


def _gist(answer: dict[str, Any]) -> tuple[Any, ...]:
    problem = answer.get("problem", {})
    return answer["line"], answer["status"], answer.get("idempotency_key"), problem.get("type"), problem.get("errors")
