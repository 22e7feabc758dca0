"""The examples of docs/howto/change-a-policy.md, in order, with the answers the page promises."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import httpx

from services.sla_timer.api import Context, create_api
from services.sla_timer.domain.calendars import read_calendars
from tests.integration.sla_timer.desk import DATA, Customer, Desk
from tests.integration.sla_timer.test_api import KEYS

PAGE = (Path(__file__).parents[3] / "docs/howto/change-a-policy.md").read_text(encoding="utf-8")
_CALLS = re.compile(r"```sh\n# (\d{3})\n(curl .*?)```", re.DOTALL)
_TEXTS = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


async def test_every_call_gets_the_answer_the_page_promises(desk: Desk) -> None:
    async def readiness() -> Mapping[str, str | None]:
        return {}

    policies, _ = _TEXTS.findall(PAGE)
    calls = _CALLS.findall(PAGE)
    assert len(calls) == PAGE.count("\ncurl ")
    app = create_api(Context(desk.database, KEYS, desk.rulebooks), readiness)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        for status, command in calls:
            method, url, headers, content = _read(command, policies)
            answer = await client.request(method, url, headers=headers, content=content)
            assert answer.status_code == int(status), f"{command}\n{answer.text}"
    assert desk.rulebooks.in_force.version == 2
    await desk.deliver(Customer().submits(product_line="motor"), Customer().submits(product_line="travel"))
    rows = await desk.rows("SELECT policy FROM tracked_request ORDER BY 1")
    assert [row["policy"] for row in rows] == ["everything_else", "motor_claim"]


def test_the_lines_for_a_calendar_can_be_added_to_the_file() -> None:
    _, lines = _TEXTS.findall(PAGE)
    text = (DATA / "calendars.yml").read_text(encoding="utf-8")
    place = "    timezone: Asia/Hong_Kong\n"
    assert len(read_calendars(text.replace(place, place + lines), "calendars.yml")["hong_kong"].closures) == 1


def _read(command: str, policies: str) -> tuple[str, str, dict[str, str], bytes | None]:
    command = command.replace("\\\n", " ").replace("$SLA_TIMER", "http://sla_timer").replace("$KEY", "key of lead")
    words = iter(shlex.split(command)[1:])
    method, url, headers, content = "GET", "", {}, None
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "--data-binary":
                data = next(words)
                content = (policies if data == "@policies.yml" else data).encode()
            case _:
                url = word
    return method, url, headers, content
