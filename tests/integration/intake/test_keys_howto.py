"""The curl examples of docs/howto/keys-and-roles.md, in order, with the answers the page promises."""

from __future__ import annotations

from pathlib import Path

from tests.integration.intake.curl import examples_of, read_curl
from tests.integration.intake.front_door import Intake

PAGE = Path(__file__).parents[3] / "docs/howto/keys-and-roles.md"


async def test_every_example_gets_the_answer_the_page_promises(intake: Intake) -> None:
    values = {"INTAKE": "http://intake", "ADMIN": "key of staff"}
    for status, command in examples_of(PAGE.read_text(encoding="utf-8")):
        method, url, headers, content = read_curl(command, values)
        answer = await intake.nobody.request(method, url, headers=headers, content=content)
        assert answer.status_code == status, f"{command}\n{answer.text}"
        if status == 201:
            values |= {"KEY": answer.json()["key"], "PREFIX": answer.json()["prefix"]}
