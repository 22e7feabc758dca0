"""API keys in Postgres: what they open, for how long, and that their secrets are kept nowhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.handlers.key_book import KeyBook
from shared.clock import real_now
from tests.integration.intake.front_door import SUBMISSION, Intake, write

CHANNEL = {"name": "branch", "role": "channel", "scopes": ["submit", "read"]}


async def make(intake: Intake, **changes: Any) -> dict[str, Any]:
    answer = await intake.staff.post("/v1/keys", json=CHANNEL | changes, headers=write())
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


def using(intake: Intake, key: dict[str, Any]) -> httpx.AsyncClient:
    return intake.call_with(intake.context, key["key"])


async def change(intake: Intake, key: dict[str, Any], how: str, **body: Any) -> httpx.Response:
    return await intake.staff.post(f"/v1/keys/{key['prefix']}:{how}", json=body, headers=write())


async def test_a_key_opens_what_its_scopes_say_and_nothing_else(intake: Intake) -> None:
    made = await make(intake)
    client = using(intake, made)
    submitted = await client.post("/v1/requests", json=SUBMISSION, headers=write())
    assert (submitted.status_code, submitted.json()["channel"]) == (201, "branch")
    path = f"/v1/requests/{submitted.json()['reference']}"
    assert (await client.get(path)).is_success
    for refused in (
        await client.post(f"{path}/note", json={"text": "x"}, headers=write()),
        await client.get(f"{path}/texts"),
        await client.post("/v1/requests:batch", headers={"Content-Type": "application/x-ndjson"}),
    ):
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:punctual:problem:scope_required")
        assert refused.headers["www-authenticate"].startswith("Bearer")
    assert (await intake.app.get(path)).status_code == 404


async def test_the_secret_is_told_once_and_kept_nowhere(intake: Intake) -> None:
    headers = write()
    first = await intake.staff.post("/v1/keys", json=CHANNEL, headers=headers)
    repeat = await intake.staff.post("/v1/keys", json=CHANNEL, headers=headers)
    secret = first.json()["key"].rpartition("_")[2]
    assert first.headers["cache-control"] == "no-store"
    assert (repeat.status_code, repeat.headers["idempotency-replayed"]) == (201, "true")
    assert repeat.json() == first.json() | {"key": None}
    assert "key" not in (await intake.staff.get("/v1/keys")).json()[0]
    async with intake.database.connection() as connection:
        for table in ("api_key", "idempotency_key", "access_record", "outbox"):
            rows = await connection.fetch(f"SELECT {table}::text AS row FROM {table}")
            assert not [row for row in rows if secret in row["row"]], table


@pytest.mark.parametrize("wrong", ["pk_22222222_" + "a" * 43, "pk_x", "pk__", "key of nobody"])
async def test_what_is_no_key_is_nobody(intake: Intake, wrong: str) -> None:
    assert (await intake.call_with(intake.context, wrong).get("/v1/requests")).status_code == 401


async def test_a_wrong_secret_opens_nothing(intake: Intake) -> None:
    made = await make(intake)
    other = await make(intake)
    mixed = f"pk_{made['prefix']}_{other['key'].split('_', 2)[2]}"
    assert (await intake.call_with(intake.context, mixed).get("/v1/requests")).status_code == 401


async def test_a_revoked_key_is_refused_here_at_once_and_elsewhere_within_seconds(intake: Intake) -> None:
    made = await make(intake)
    elapsed = 0.0
    elsewhere = KeyBook(intake.database, elapsed=lambda: elapsed)
    assert (await using(intake, made).get("/v1/requests")).is_success
    assert await elsewhere.find(made["key"]) is not None
    revoked = await change(intake, made, "revoke")
    assert (revoked.json()["state"], revoked.json()["revoked_by"]) == ("revoked", "staff")
    assert (await using(intake, made).get("/v1/requests")).status_code == 401
    assert await elsewhere.find(made["key"]) is not None  # remembered for a moment
    elapsed = 2.0
    assert await elsewhere.find(made["key"]) is None
    again = await change(intake, made, "revoke")
    assert again.json()["revoked_at"] == revoked.json()["revoked_at"]


async def test_a_batch_under_way_ends_when_its_key_is_revoked(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.intake.api.batch_stream._BELIEVED_SECONDS", 0.0)
    made = await make(intake, scopes=["batch"])

    async def lines() -> AsyncIterator[bytes]:
        for number in (1, 2):
            yield json.dumps(SUBMISSION | {"idempotency_key": f"{made['prefix']}-{number}"}).encode() + b"\n"
            if number == 1:
                assert (await change(intake, made, "revoke")).is_success

    headers = {"Content-Type": "application/x-ndjson"}
    answer = await using(intake, made).post("/v1/requests:batch", content=lines(), headers=headers)
    first, last = [json.loads(line) for line in answer.text.splitlines()]
    assert (first["status"], last["status"], last["resume_from"]) == (201, 401, 2)


async def test_a_key_is_revoked_also_while_nothing_new_is_taken_in(intake: Intake) -> None:
    made = await make(intake)
    full = replace(intake.context, outbox_limit=-1)
    submitted = await intake.connect(full, "app").post("/v1/requests", json=SUBMISSION, headers=write())
    assert submitted.status_code == 503
    answer = await intake.connect(full, "staff").post(f"/v1/keys/{made['prefix']}:revoke", headers=write())
    assert answer.json()["state"] == "revoked"


async def test_both_keys_work_after_a_rotation_until_the_overlap_is_over(intake: Intake) -> None:
    old = await make(intake, expires_at=(real_now() + timedelta(days=90)).isoformat())
    new = (await change(intake, old, "rotate")).json()
    assert (new["name"], new["scopes"], new["replaces"]) == ("branch", ["read", "submit"], old["prefix"])
    for key in (old, new):
        assert (await using(intake, key).get("/v1/requests")).is_success
    shown = {key["prefix"]: key for key in (await intake.staff.get("/v1/keys", params={"name": "branch"})).json()}
    assert shown[old["prefix"]]["replaced_by"] == new["prefix"]
    later = KeyBook(intake.database, now=lambda: real_now() + timedelta(days=7))
    assert [await later.find(key["key"]) is not None for key in (old, new)] == [False, True]


async def test_a_key_is_replaced_once(intake: Intake) -> None:
    old = await make(intake)
    assert (await change(intake, old, "rotate", overlap_seconds=0)).status_code == 201
    again = await change(intake, old, "rotate")
    assert (again.status_code, again.json()["type"]) == (409, "urn:punctual:problem:key_over")
    assert (await using(intake, old).get("/v1/requests")).status_code == 401


async def test_a_key_expires(intake: Intake) -> None:
    made = await make(intake, expires_at=(real_now() + timedelta(days=1)).isoformat())
    assert await KeyBook(intake.database, now=lambda: real_now() + timedelta(days=2)).find(made["key"]) is None
    past = {"expires_at": (real_now() - timedelta(days=1)).isoformat()}
    refused = await intake.staff.post("/v1/keys", json=CHANNEL | past, headers=write())
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "expires_at")


async def test_a_key_that_works_until_the_last_instant_is_rotated_again_and_again(intake: Intake) -> None:
    key = await make(intake, expires_at="9999-12-31T23:59:59.999999Z")
    for _ in range(3):
        assert key["expires_at"] == "9999-12-31T23:59:59.999998Z"
        answer = await change(intake, key, "rotate")
        assert answer.status_code == 201
        key = answer.json()


async def test_a_name_keeps_its_role(intake: Intake) -> None:
    await make(intake)
    refused = await intake.staff.post("/v1/keys", json=CHANNEL | {"role": "staff"}, headers=write())
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:punctual:problem:key_name_taken")


async def test_a_channel_gets_no_scope_of_staff(intake: Intake) -> None:
    refused = await intake.staff.post("/v1/keys", json=CHANNEL | {"scopes": ["keys"]}, headers=write())
    assert refused.status_code == 422


async def test_a_key_gives_no_more_than_it_has(intake: Intake) -> None:
    warden = using(intake, await make(intake, name="warden", role="staff", scopes=["keys", "read"]))
    assert (await warden.post("/v1/keys", json=CHANNEL, headers=write())).status_code == 403
    made = await warden.post("/v1/keys", json=CHANNEL | {"scopes": ["read"]}, headers=write())
    assert (made.status_code, made.json()["created_by"]) == (201, "warden")
    stronger = await make(intake)
    refused = await warden.post(f"/v1/keys/{stronger['prefix']}:rotate", json={}, headers=write())
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:punctual:problem:scope_required")


async def test_the_last_use_is_written_now_and_then(intake: Intake) -> None:
    made = await make(intake)
    await using(intake, made).get("/v1/requests")
    params = {"name": "branch", "limit": "1"}
    assert (await intake.staff.get("/v1/keys", params=params)).json()[0]["last_used_at"] is None
    await intake.context.keys.write_uses()
    assert (await intake.staff.get("/v1/keys", params=params)).json()[0]["last_used_at"] is not None


async def test_the_list_is_complete_page_by_page(intake: Intake) -> None:
    made = [(await make(intake, name="pages"))["prefix"] for _ in range(5)]
    found: list[str] = []
    url = "/v1/keys?name=pages&limit=2"
    while url:
        page = await intake.staff.get(url)
        found += [key["prefix"] for key in page.json()]
        url = page.links.get("next", {}).get("url", "")
    assert found == made[::-1]


async def test_prefixes_that_are_made_up_do_not_fill_the_memory(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.intake.handlers.key_book._MOST", 3)
    book = KeyBook(intake.database)
    for letter in "ABCDEFGH":
        assert await book.find(f"pk_{letter * 8}_{'a' * 43}") is None
    assert list(book._seen) == ["F" * 8, "G" * 8, "H" * 8]
