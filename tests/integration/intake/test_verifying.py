"""Whoever edits what is stored is found out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.postgres import Database
from tests.integration.intake.front_door import Intake


@pytest.fixture
async def administrator(database_urls: dict[str, str]) -> AsyncIterator[Database]:
    database = await Database.open(database_urls["admin"], schema="intake", application_name="tests")
    yield database
    await database.close()


EDITS = {
    "UPDATE request_event SET data = '{\"outcome\": \"paid\"}' WHERE type = 'closed'": "entry 3 is not what was",
    "UPDATE request_event SET occurred_at = occurred_at - interval '1 hour' WHERE sequence = 2": "entry 2 is not",
    "UPDATE request_event SET caller = 'web' WHERE sequence = 1": "entry 1 is not what was written",
    "DELETE FROM request_event WHERE sequence = 2": "entry 2 is missing",
    "DELETE FROM request_event WHERE sequence = 3": "the history does not end where the request says",
    "UPDATE request SET outcome = 'paid'": "outcome is 'paid' in the request and 'withdrawn' by its history",
    "UPDATE request SET priority = 'urgent'": "priority is <Priority.URGENT: 'urgent'> in the request",
    "UPDATE request SET dismissed = '{rule}'": "dismissed is ('rule',) in the request and () by its history",
    "UPDATE request SET attributes = '{}'": "attributes is {} in the request",
    "UPDATE request SET head = decode(repeat('00', 32), 'hex')": "the history does not end where the request says",
}


@pytest.mark.parametrize("edit", EDITS)
async def test_an_edit_by_the_administrator_is_found(intake: Intake, administrator: Database, edit: str) -> None:
    view = await intake.submit()
    untouched = await intake.submit()
    await intake.move(view["reference"], "response")
    await intake.move(view["reference"], "close", outcome="withdrawn")
    glue = " AND " if " WHERE " in edit else " WHERE "
    async with administrator.connection() as connection:
        await connection.execute(f"{edit}{glue}request_id = '{view['id']}'")
    one = (await intake.staff.get(f"/v1/requests/{view['reference']}/verification")).json()
    assert one["problems"][0].startswith(EDITS[edit])
    all_of_them = (await intake.staff.get("/v1/verification")).json()
    found = {each["reference"] for each in all_of_them["problems"]}
    assert view["reference"] in found
    assert untouched["reference"] not in found
    good = (await intake.staff.get(f"/v1/requests/{untouched['reference']}/verification")).json()
    assert good["problems"] == []


async def test_all_requests_are_looked_at_page_by_page(intake: Intake) -> None:
    references = {(await intake.submit())["reference"] for _ in range(5)}
    seen, after = 0, None
    while True:
        query = {"limit": 2} | ({"after": after} if after else {})
        page = (await intake.staff.get("/v1/verification", params=query)).json()
        seen += page["requests"]
        after = page["next"]
        if after is None:
            break
    assert seen >= len(references)


async def test_only_staff_may_ask(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    for path in (f"/v1/requests/{reference}/verification", "/v1/verification"):
        assert (await intake.app.get(path)).status_code == 403
