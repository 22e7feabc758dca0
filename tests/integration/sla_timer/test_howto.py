"""The examples of the pages about policies and calendars, in order, with the answers that the pages promise."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from shared.contracts.payload import CustomerTier
from shared.rules.calendars import read_calendars
from tests.integration.sla_timer.client import Client
from tests.integration.sla_timer.customer import Customer
from tests.integration.sla_timer.desk import Desk

_HOWTO = Path(__file__).parents[3] / "docs/howto"
PAGE = (_HOWTO / "change-a-policy.md").read_text(encoding="utf-8")
CALENDARS_PAGE = (_HOWTO / "change-a-calendar.md").read_text(encoding="utf-8")
_CALLS = re.compile(r"```sh\n# (\d{3})\n(curl .*?)```", re.DOTALL)
_TEXTS = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


async def test_every_call_gets_the_answer_the_page_promises(desk: Desk, client: Client) -> None:
    policies, *_ = _TEXTS.findall(PAGE)
    calls = _CALLS.findall(PAGE)
    assert len(calls) == PAGE.count("\ncurl ")
    for status, command in calls:
        method, url, headers, content = _read(command, policies)
        answer = await client.http.request(method, url, headers=headers, content=content)
        assert answer.status_code == int(status), f"{command}\n{answer.text}"
    assert desk.rulebooks.in_force.version == 2
    large, small = Customer(), Customer()
    await desk.deliver(
        large.submits(product_line="motor", customer_tier=CustomerTier.GOLD, attributes={"amount": 250_000}),
        small.submits(product_line="motor", customer_tier=CustomerTier.GOLD, attributes={"amount": 90_000}),
    )
    rows = await desk.rows("SELECT DISTINCT reference, policy FROM clock JOIN tracked_request USING (request_id)")
    assert {row["reference"]: row["policy"] for row in rows} == {
        large.reference: "large_motor_claim",
        small.reference: "everything_else",
    }


def test_the_calendars_on_the_page_can_be_used() -> None:
    office, built_on_it = _TEXTS.findall(CALENDARS_PAGE)
    read = read_calendars(office + built_on_it, "calendars.yml")
    assert set(read) == {"office", "branch", "hotline", "handover"}


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
