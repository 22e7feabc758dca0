"""The curl examples of docs/howto/send-requests.md, in order, with the answers the page promises."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.integration.intake.curl import examples_of, read_curl
from tests.integration.intake.front_door import Intake

PAGE = Path(__file__).parents[3] / "docs/howto/send-requests.md"


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
            values["REFERENCE"] = answer.json()["reference"]
        if status == 409:
            refusals.append(answer.json())
    assert f'"detail": "{refusals[-1]["detail"]}"' in page


def assert_lines_are_answered_as(page: str, answers: str) -> None:
    """The page shows the line, status and type of each answer."""
    shown = [json.loads(text) for text in re.findall(r'^\{"line".*$', page, re.MULTILINE)]
    got = [json.loads(text) for text in answers.splitlines()]
    assert [_gist(answer) for answer in got] == [_gist(answer) for answer in shown]


def _gist(answer: dict[str, Any]) -> tuple[Any, ...]:
    problem = answer.get("problem", {})
    return answer["line"], answer["status"], answer.get("idempotency_key"), problem.get("type"), problem.get("errors")
