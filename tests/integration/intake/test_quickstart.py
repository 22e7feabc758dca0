"""The calls that docs/quickstart.md shows, in order, and the first one of docs/howto/run-with-docker.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.integration.intake.curl import examples_of, read_curl
from tests.integration.intake.front_door import Intake, write

DOCS = Path(__file__).parents[3] / "docs"
_MOVE = re.compile(r"^move (\w+) +'([^']*)' *(#.*)?$", re.MULTILINE)


async def test_the_quickstart_leads_where_it_says(intake: Intake) -> None:
    page = (DOCS / "quickstart.md").read_text(encoding="utf-8")
    values = {"key": "key of app"}
    first = None
    for status, command in examples_of(page):
        method, url, headers, content = read_curl(command, values)
        answer = await intake.nobody.request(method, url, headers=headers, content=content)
        assert answer.status_code == status, f"{command}\n{answer.text}"
        values["reference"] = answer.json()["reference"]
        first = first or (method, url, headers, content, answer)
    assert first is not None

    method, url, headers, content, answer = first
    again = await intake.nobody.request(method, url, headers=headers, content=content)
    assert (again.content, again.headers["Idempotency-Replayed"]) == (answer.content, "true")
    changed = await intake.nobody.request(method, url, headers=headers, content=(content or b"") + b" ")
    assert (changed.status_code, changed.json()["type"]) == (422, "urn:punctual:problem:idempotency_key_reused")

    moves = _MOVE.findall(page)
    assert len(moves) == page.count("\nmove ")
    for name, body, remark in moves:
        path = f"/v1/requests/{values['reference']}/{name}"
        moved = await intake.app.post(path, json=json.loads(body), headers=write())
        assert moved.status_code == (409 if "refused" in remark else 200), f"{name} {body}\n{moved.text}"
        assert ("errors" in moved.json()) == ("refused" in remark)
    assert (await intake.app.get(f"/v1/requests/{values['reference']}")).json()["state"] == "closed"


async def test_the_first_request_in_containers_is_taken(intake: Intake) -> None:
    for status, command in examples_of((DOCS / "howto/run-with-docker.md").read_text(encoding="utf-8")):
        method, url, headers, content = read_curl(command, {"key": "key of app"})
        answer = await intake.nobody.request(method, url, headers=headers, content=content)
        assert answer.status_code == status, f"{command}\n{answer.text}"
