"""Whoever edits what is stored is found out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from services.intake.domain.chain import hash_entry
from services.intake.store.proofs import read_stored_page
from shared.ids import new_id, new_reference
from shared.postgres import Database
from tests.integration.intake.front_door import SUBMISSION, Intake


async def problems_of(intake: Intake, reference: str) -> list[str]:
    found = await intake.staff.get(f"/v1/requests/{reference}/verification")
    problems: list[str] = found.json()["problems"]
    return problems


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
    "UPDATE request SET channel = 'web'": "entry 1 is not what was written",
    "UPDATE request SET market = 'TW'": "entry 1 is not what was written",
    "UPDATE request SET language = 'en'": "entry 1 is not what was written",
    "UPDATE request SET customer_id = (SELECT max(customer_id::text)::uuid FROM customer)": "entry 1 is not what was",
    "UPDATE request SET external_id_hash = NULL": "entry 1 is not what was written",
    "UPDATE request SET external_id = 'EXT-9'": "the external id is not the one",
    "UPDATE request SET external_id = NULL, external_id_salt = NULL": "the external id is gone, and its customer",
    "UPDATE request SET external_id_salt = decode(repeat('00', 16), 'hex')": "the external id is not the one",
    "UPDATE request SET unchained = 1": "0 entries have no hash, and 1 are older than the chain",
    "UPDATE request_event SET hash = NULL": "3 entries have no hash, and 0 are older than the chain",
    "UPDATE request_event SET hash = NULL WHERE sequence = 3": "1 entries have no hash, and 0 are older",
    "UPDATE request SET head = decode(repeat('00', 32), 'hex')": "the history does not end where the request says",
}


@pytest.mark.parametrize("edit", EDITS)
async def test_an_edit_by_the_administrator_is_found(intake: Intake, administrator: Database, edit: str) -> None:
    view = await intake.submit(external_id="EXT-1")
    untouched = await intake.submit(customer=SUBMISSION["customer"] | {"id": new_id().hex})
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


async def test_another_reference_is_found(intake: Intake, administrator: Database) -> None:
    view = await intake.submit()
    reference = new_reference()
    async with administrator.connection() as connection:
        await connection.execute("UPDATE request SET reference = $1 WHERE reference = $2", reference, view["reference"])
    (problem,) = await problems_of(intake, reference)
    assert problem.startswith("entry 1 is not what was written")


async def test_a_request_cannot_pass_for_one_that_is_older_than_the_chain(
    intake: Intake, administrator: Database
) -> None:
    """Without a hash an entry could be written anew, and nothing could be compared with it."""
    view = await intake.submit()
    async with administrator.transaction() as connection:
        request_id = UUID(view["id"])
        await connection.execute("UPDATE request SET head = NULL, stage = 'decision' WHERE request_id = $1", request_id)
        await connection.execute(
            "UPDATE request_event SET hash = NULL, data = replace(data::text, 'received', 'decision')::json"
            " WHERE request_id = $1",
            request_id,
        )
    assert await problems_of(intake, view["reference"]) == ["1 entries have no hash, and 0 are older than the chain"]


async def test_what_is_older_than_the_chain_is_no_problem_and_counted(intake: Intake, administrator: Database) -> None:
    """As the migration leaves a request that was there before: with a first entry that has no hash, and goes on."""
    view = await intake.submit(external_id="EXT-1")
    request_id = UUID(view["id"])
    async with administrator.transaction() as connection:
        await connection.execute(
            "UPDATE request SET head = NULL, unchained = 1, external_id_salt = NULL, external_id_hash = NULL"
            " WHERE request_id = $1",
            request_id,
        )
        await connection.execute("UPDATE request_event SET hash = NULL WHERE request_id = $1", request_id)
    assert (await intake.move(view["reference"], "response")).is_success
    found = (await intake.staff.get(f"/v1/requests/{view['reference']}/verification")).json()
    assert (found["problems"], found["entries"], found["unproved"]) == ([], 2, 1)


async def test_a_request_from_before_first_entries_said_whose_it_is_is_proved_as_it_was(
    intake: Intake, administrator: Database
) -> None:
    view = await intake.submit(external_id="EXT-1")
    async with administrator.transaction() as connection:
        (stored,) = [
            one
            for one in await read_stored_page(connection, UUID(int=0), 9_999)
            if one.record.reference == view["reference"]
        ]
        old = hash_entry(stored.record.request_id, stored.record.history[0], None)
        for statement in (
            "UPDATE request SET head = $2, external_id_salt = NULL, external_id_hash = NULL WHERE request_id = $1",
            "UPDATE request_event SET hash = $2 WHERE request_id = $1",
        ):
            await connection.execute(statement, stored.record.request_id, old)
    assert (await intake.move(view["reference"], "response")).is_success
    assert await problems_of(intake, view["reference"]) == []


async def test_links_are_what_the_histories_tell(intake: Intake, administrator: Database) -> None:
    one, other, third = [await intake.submit() for _ in range(3)]
    part = (await intake.move(one["reference"], "split")).json()
    complaint = (await intake.move(one["reference"], "complain")).json()
    assert (await intake.move(other["reference"], "merge", into=one["reference"])).is_success
    views = [one, other, part, complaint]
    assert [await problems_of(intake, view["reference"]) for view in views] == [[], [], [], []]
    async with administrator.connection() as connection:
        await connection.execute(
            "INSERT INTO request_link VALUES ($1, 'about', $2)", UUID(third["id"]), UUID(one["id"])
        )
        await connection.execute(
            "DELETE FROM request_link WHERE request_id = ANY($1)", [UUID(view["id"]) for view in views]
        )
    gone = "the history tells of {} {}, and the link is gone"
    assert sorted(await problems_of(intake, one["reference"])) == [
        gone.format("absorbed", other["id"]),
        gone.format("complaint", complaint["id"]),
        gone.format("split_into", part["id"]),
    ]
    assert await problems_of(intake, other["reference"]) == [gone.format("merged_into", one["id"])]
    assert await problems_of(intake, part["reference"]) == [gone.format("split_from", one["id"])]
    assert await problems_of(intake, complaint["reference"]) == [gone.format("about", one["id"])]
    assert await problems_of(intake, third["reference"]) == [
        f"a link says about {one['id']}, and the history tells nothing of it"
    ]


async def test_what_people_wrote_is_missed(intake: Intake, administrator: Database) -> None:
    reference = (await intake.submit())["reference"]
    assert (await intake.move(reference, "note", text="he called")).is_success
    assert await problems_of(intake, reference) == []
    async with administrator.connection() as connection:
        await connection.execute(
            "DELETE FROM request_text USING request WHERE request_text.request_id = request.request_id"
            " AND reference = $1",
            reference,
        )
    assert await problems_of(intake, reference) == ["what people wrote with entry 2 is gone"]


async def test_every_sort_of_request_and_entry_proves_itself(intake: Intake) -> None:
    """A doubted one, one with all that people write, and those that come of another one."""
    doubted = await intake.submit(attributes={"amount": 10, "currency": "hkd"})
    assert doubted["findings"] == {"currency_has_three_letters": "open"}
    reference = doubted["reference"]
    document = {"file_name": "a.pdf", "location": "s3://a", "media_type": "a/b", "size": 1, "sha256": "0" * 64}
    assert (await intake.move(reference, "message", text="hello")).is_success
    assert (await intake.move(reference, "pause", reason="customer_documents", documents=["receipts"])).is_success
    assert (await intake.move(reference, "attachment", document="receipts", **document)).is_success
    part = (await intake.move(reference, "split", attributes={"amount": 10, "currency": "hkd"})).json()
    assert part["findings"] == {"currency_has_three_letters": "open"}
    for view in (doubted, part):
        assert await problems_of(intake, view["reference"]) == []


async def test_all_requests_are_looked_at_page_by_page(intake: Intake) -> None:
    references = {(await intake.submit())["reference"] for _ in range(5)}
    seen, after = 0, None
    while True:
        query = {"limit": 2} | ({"after": after} if after else {})
        answer = await intake.staff.get("/v1/verification", params=query)
        page = answer.json()
        seen += page["requests"]
        after = page["next"]
        assert answer.links.keys() == ({"next"} if after else set())
        if after is None:
            break
    assert seen >= len(references)


async def test_only_staff_may_ask(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    for path in (f"/v1/requests/{reference}/verification", "/v1/verification"):
        assert (await intake.app.get(path)).status_code == 403
