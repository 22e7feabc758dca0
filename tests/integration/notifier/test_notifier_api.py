"""What staff and channels see over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from services.notifier.api import create_api
from shared.http import KeyRing, hash_key
from shared.http.keys import ApiKey
from tests.access.opening import access_by_keys
from tests.integration.notifier.house import Case, House, replaced

KEY = "a-key"


async def ready() -> Mapping[str, str | None]:
    return {"postgres": None}


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    keys = KeyRing([ApiKey(name="desk", role="staff", sha256=hash_key(KEY))])
    app = create_api(house.listing, access_by_keys(keys, "notifier"), ready)
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


@pytest.mark.parametrize("path", ["/v1/notices", "/v1/summary"])
async def test_nobody_reads_without_a_key(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401


async def test_probes_and_metrics_need_no_key(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz", headers={"Authorization": ""})).status_code == 200
    metrics = (await client.get("/metrics", headers={"Authorization": ""})).text
    assert "punctual_notifier_notices_total" in metrics
    assert "punctual_notifier_relay_open" in metrics
