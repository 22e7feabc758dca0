"""Every reading of personal data is noted before it is answered, or it is not answered."""

from __future__ import annotations

import asyncpg
import pytest

from tests.integration.intake.front_door import SUBMISSION, Intake


async def test_a_reading_of_texts_is_noted_with_who_and_what(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    await intake.move(reference, "note", text="her number is 2345 6789")
    reader = intake.person("chan.tai-man", "handler", "team_leader")
    headers = {"X-Correlation-Id": "c-1"}
    read = await reader.get(f"/v1/requests/{reference.lower()}/texts", headers=headers)
    assert [found["text"] for found in read.json()] == [SUBMISSION["description"], "her number is 2345 6789"]
    (noted,) = (await intake.staff.get("/v1/audit", params={"reference": reference})).json()
    real_at = noted.pop("real_at")
    assert real_at.endswith("Z")
    assert noted == {
        "who": "chan.tai-man",
        "subject": "subject-of-chan.tai-man",
        "roles": ["handler", "team_leader"],
        "route": "GET /v1/requests/{reference}/texts",
        "what": "texts",
        "reference": reference,
        "customer_id": None,
        "occurred_at": "2026-11-24T01:30:00Z",
        "correlation_id": read.headers["x-correlation-id"],
    }


async def test_a_channel_is_noted_as_one(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    await intake.app.get(f"/v1/requests/{reference}/texts")
    (noted,) = (await intake.staff.get("/v1/audit", params={"reference": reference})).json()
    assert (noted["who"], noted["subject"], noted["roles"]) == ("app", "file:app", ["channel"])


async def test_what_was_not_shown_is_not_noted(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    assert (await intake.web.get(f"/v1/requests/{reference}/texts")).status_code == 404
    assert (await intake.staff.get("/v1/audit", params={"reference": reference})).json() == []


async def test_where_noting_fails_nothing_is_shown(intake: Intake, database_urls: dict[str, str]) -> None:
    reference = (await intake.submit())["reference"]
    await intake.move(reference, "note", text="her number is 2345 6789")
    admin = await asyncpg.connect(database_urls["admin"])
    try:
        await admin.execute("REVOKE INSERT ON intake.access_record FROM punctual_intake")
        refused = await intake.staff.get(f"/v1/requests/{reference}/texts")
    finally:
        await admin.execute("GRANT INSERT ON intake.access_record TO punctual_intake")
        await admin.close()
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:punctual:problem:access_not_noted")
    assert "2345" not in refused.text
    assert refused.headers["retry-after"] == "5"
    assert (await intake.staff.get(f"/v1/requests/{reference}/texts")).is_success


@pytest.mark.parametrize("change", ["UPDATE access_record SET who = 'x'", "DELETE FROM access_record"])
async def test_what_was_noted_cannot_be_changed(intake: Intake, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with intake.database.connection() as connection:
            await connection.execute(change)


async def test_the_list_is_for_auditors_complete_and_filtered(intake: Intake) -> None:
    references = [(await intake.submit())["reference"] for _ in range(3)]
    reader = intake.person("wong", "manager")
    for reference in references:
        await reader.get(f"/v1/requests/{reference}/texts")
        await intake.app.get(f"/v1/requests/{reference}/texts")
    auditor = intake.person("ho", "auditor")
    found: list[str] = []
    url = "/v1/audit?who=wong&limit=2"
    while url:
        page = await auditor.get(url)
        found += [noted["reference"] for noted in page.json()]
        url = page.links.get("next", {}).get("url", "")
    assert found == references[::-1]
    assert (await reader.get("/v1/audit")).status_code == 403
