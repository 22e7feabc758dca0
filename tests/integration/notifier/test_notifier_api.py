"""What staff and channels see over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from services.notifier.api import create_api
from shared.contracts.clocks import ClockBreached
from shared.contracts.envelope import Tombstone
from shared.contracts.payload import Language
from shared.contracts.requests import RequestClosed
from shared.encryption import MasterKeys
from shared.http import KeyRing, hash_key
from shared.http.keys import ApiKey
from shared.postgres import Database
from tests.access.opening import access_by_keys
from tests.integration.notifier.cases import NOW, Case, replaced
from tests.integration.notifier.house import House

KEY = "a-key"
OTHER_KEYS = MasterKeys("other", {"other": bytes(32)})


async def ready() -> Mapping[str, str | None]:
    return {"postgres": None}


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    keys = KeyRing([ApiKey(name="desk", role="staff", sha256=hash_key(KEY))])
    app = create_api(house.listing, house.holding, access_by_keys(keys, "notifier"), ready)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://notifier", headers={"Authorization": f"Bearer {KEY}"}
    ) as http:
        yield http


async def test_notices_are_listed_newest_first_without_anything_personal(
    house: House, client: httpx.AsyncClient
) -> None:
    first = Case()
    second = replaced(Case(), email=None)
    await house.hear(first.submitted(), first.contact(), first.clock())
    await house.hear(second.submitted(), second.contact(), second.clock())
    answer = await client.get("/v1/notices")
    assert answer.status_code == 200
    newest, oldest = answer.json()["notices"]
    assert (newest["reference"], newest["state"], newest["reason"]) == (second.reference, "suppressed", "no_address")
    assert (oldest["reference"], oldest["state"], oldest["language"]) == (first.reference, "ready", "en")
    assert oldest["correlation_id"] == "corr-42"
    assert "customer.example" not in answer.text
    assert "陳大文" not in answer.text


async def test_notices_are_found_by_request_reference_and_state(house: House, client: httpx.AsyncClient) -> None:
    cases = [Case(), Case()]
    for case in cases:
        await house.hear(case.submitted(), case.contact(), case.clock())
    wanted = cases[0]
    for asked in (str(wanted.request_id), wanted.reference, wanted.reference.lower().replace("-", " ")):
        found = (await client.get("/v1/notices", params={"request": asked, "state": "ready"})).json()["notices"]
        assert [notice["request_id"] for notice in found] == [str(wanted.request_id)]
    assert (await client.get("/v1/notices", params={"state": "sent"})).json() == {"notices": []}
    assert len((await client.get("/v1/notices", params={"limit": 1})).json()["notices"]) == 1


async def test_the_summary_counts_every_state(house: House, client: httpx.AsyncClient) -> None:
    held, ready_case, silent = Case(), Case(), replaced(Case(), email=None)
    await house.hear(held.submitted())
    for case in (ready_case, silent):
        await house.hear(case.submitted(), case.contact(), case.clock())
    assert (await client.get("/v1/summary")).json() == {
        "planned": 1,
        "held": 1,
        "sending": 0,
        "in_doubt": 0,
        "sent": 0,
        "failed": 0,
        "suppressed": 1,
        "withdrawn": 0,
    }


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"request": "K7M4Q-2XD9X"}, "query:request"),
        ({"state": "lost"}, "query:state"),
        ({"limit": "0"}, "query:limit"),
    ],
)
async def test_a_mistyped_question_is_answered_with_the_field(
    client: httpx.AsyncClient, params: dict[str, str], field: str
) -> None:
    answer = await client.get("/v1/notices", params=params)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_everything_that_is_held_on_a_customer_is_given_out_as_text(
    house: House, client: httpx.AsyncClient
) -> None:
    case, other = Case(language=Language.TRADITIONAL_CHINESE), replaced(Case(), email="other@customer.example")
    await house.hear(case.submitted(), case.contact(version=3), case.clock(), case.clock(ClockBreached))
    await house.hear(other.submitted(), other.contact(name="Lee Siu Ming"), other.clock())
    with capture_logs() as logs:
        held = (await client.get(f"/v1/customers/{case.customer_id}/messages")).json()
    assert held["contact"] == {"version": 3, "name": "陳大文", "email": case.email}
    (message,) = held["messages"]  # what staff are told of the request is nothing of hers
    assert (message["kind"], message["state"], message["recipients"]) == ("received", "ready", [case.email])
    assert (message["reference"], message["request_id"]) == (case.reference, str(case.request_id))
    assert case.reference in message["subject"]
    assert "陳大文" in message["message"]
    assert "https://status.insurer.example/t/token" in message["message"]
    assert "陳大文" not in str(logs)
    assert "customer.example" not in str(logs)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE rendering SET encrypted = overlay(encrypted PLACING '\\x00' FROM 40) WHERE notice_id = $1",
        "UPDATE customer_key SET wrapped = overlay(wrapped PLACING '\\x00' FROM 20) WHERE $1::uuid IS NOT NULL",
    ],
)
async def test_a_damaged_mail_is_listed_without_its_words(
    house: House, client: httpx.AsyncClient, administrator: Any, damage: str
) -> None:
    case = Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    await administrator.execute(damage, (await house.notice(case, "received"))["notice_id"])
    answer = await client.get(f"/v1/customers/{case.customer_id}/messages")
    assert answer.status_code == 200
    first, second = answer.json()["messages"]
    assert (first["kind"], first["is_damaged"]) == ("received", True)
    assert (first["language"], first["recipients"], first["subject"], first["message"]) == ("en", [], None, None)
    assert second["kind"] == "closed"
    assert second["is_damaged"] is ("customer_key" in damage)


async def test_each_reading_is_noted_and_the_next_reader_sees_it(client: httpx.AsyncClient, administrator: Any) -> None:
    case, other = Case(), Case()
    for one in (case, case, other):
        answer = await client.get(f"/v1/customers/{one.customer_id}/messages", headers={"X-Correlation-ID": "letter-7"})
    (noted,) = answer.json()["read_by"]
    assert (noted["who"], noted["subject"], noted["roles"]) == ("desk", "file:desk", ["administrator"])
    assert (noted["occurred_at"], noted["correlation_id"]) == (NOW.isoformat().replace("+00:00", "Z"), "letter-7")
    readings = (await client.get(f"/v1/customers/{case.customer_id}/messages")).json()["read_by"]
    assert [reading["correlation_id"] == "letter-7" for reading in readings] == [True, True, False]
    assert await administrator.fetchval("SELECT count(*) FROM access_record") == 4


@pytest.mark.parametrize("change", ["UPDATE access_record SET who = 'x'", "DELETE FROM access_record"])
async def test_the_service_cannot_change_what_is_noted(database: Database, change: str) -> None:
    async with database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(change)


async def test_what_cannot_be_noted_is_not_shown(house: House, client: httpx.AsyncClient, administrator: Any) -> None:
    case = Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    await administrator.execute("REVOKE INSERT ON access_record FROM punctual_notifier")
    try:
        answer = await client.get(f"/v1/customers/{case.customer_id}/messages")
    finally:
        await administrator.execute("GRANT INSERT ON access_record TO punctual_notifier")
    assert answer.status_code == 500
    assert case.reference not in answer.text


async def test_on_an_unknown_and_on_an_erased_customer_nothing_is_held(house: House, client: httpx.AsyncClient) -> None:
    case = Case()

    async def held() -> dict[str, Any]:
        answer: dict[str, Any] = (await client.get(f"/v1/customers/{case.customer_id}/messages")).json()
        del answer["read_by"]
        return answer

    nothing = {"customer_id": str(case.customer_id), "is_erased": False, "contact": None, "messages": []}
    assert await held() == nothing
    await house.hear(case.submitted(), case.contact(), case.clock())
    await house.hear(Tombstone(case.customer_id))
    assert await held() == {**nothing, "is_erased": True}


async def test_what_cannot_be_decrypted_now_is_asked_for_again(client: httpx.AsyncClient, database: Database) -> None:
    case = Case()
    await House(database, master_keys=OTHER_KEYS).hear(case.contact(master_keys=OTHER_KEYS))
    answer = await client.get(f"/v1/customers/{case.customer_id}/messages")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("path", ["/v1/notices", "/v1/summary"])
async def test_nobody_reads_without_a_key(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401


async def test_probes_and_metrics_need_no_key(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz", headers={"Authorization": ""})).status_code == 200
    metrics = (await client.get("/metrics", headers={"Authorization": ""})).text
    assert "punctual_notifier_notices_total" in metrics
    assert "punctual_notifier_relay_open" in metrics
