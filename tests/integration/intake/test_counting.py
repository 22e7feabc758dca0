"""The counts that are kept are those that reading every request gives, whoever writes at the same time."""

from __future__ import annotations

import asyncio
from typing import Any

from services.intake.domain.visibility import Visibility
from services.intake.store.lookups import count_requests, teams_of
from services.intake.ticker.counts import CountKeeper
from tests.integration.intake.front_door import SUBMISSION, Intake, write

_FULL = """
SELECT kind, coalesce(ended_as, CASE WHEN pause_reasons = '{}' THEN 'open' ELSE 'paused' END) AS state,
    count(*) AS total
FROM request
WHERE ($1::text IS NULL OR channel = $1) AND ($2::text[] IS NULL OR team IS NULL OR team = ANY($2))
GROUP BY 1, 2
"""

_VISIBLE = (
    Visibility(),
    Visibility("app"),
    Visibility("web"),
    Visibility(teams=frozenset({"claims_hk"})),
    Visibility(teams=frozenset({"claims_hk", "claims_tw"})),
    Visibility(teams=frozenset()),
)


async def assert_the_counts_are_true(intake: Intake) -> None:
    """Both are read in one snapshot, while others write."""
    async with intake.database.snapshot() as connection:
        for visible in _VISIBLE:
            rows = await connection.fetch(_FULL, visible.channel, teams_of(visible))
            counted = {(row["kind"], row["state"]): row["total"] for row in rows}
            kept = {
                (count.kind.value, count.state.value): count.total
                for count in await count_requests(connection, visible)
            }
            assert kept == counted


async def a_life(intake: Intake, number: int) -> None:
    client = intake.app if number % 2 else intake.web
    kind = ("claim", "enquiry", "complaint")[number % 3]
    view: dict[str, Any] = (await client.post("/v1/requests", json=SUBMISSION | {"kind": kind}, headers=write())).json()

    async def move(name: str, **body: Any) -> None:
        answer = await client.post(f"/v1/requests/{view['reference']}/{name}", json=body, headers=write())
        assert answer.status_code == 200, answer.text

    await move("acknowledge")
    if number % 3 == 0:
        await move("assign", team="claims_hk")
    await move("pause", reason="third_party")
    if number % 2:
        await move("resume", reason="third_party")
    if number % 4 == 0:
        await move("assign", team="claims_tw")
    if number % 8 == 0:
        await move("assign", team=None)
    if number % 5 == 0:
        await move("cancel", reason="test")


async def test_the_counts_hold_while_requests_come_and_change_and_are_added_up(intake: Intake) -> None:
    keepers = [CountKeeper(intake.database) for _ in range(2)]
    lives = asyncio.gather(*(a_life(intake, number) for number in range(40)))
    checks = 0
    while not lives.done():
        await assert_the_counts_are_true(intake)
        await asyncio.gather(*(keeper.run_once() for keeper in keepers))
        checks += 1
    await lives
    assert checks > 1
    await assert_the_counts_are_true(intake)
    while await keepers[0].run_once():
        pass
    await assert_the_counts_are_true(intake)
    async with intake.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM request_count_note") == 0
        assert await connection.fetchval("SELECT count(*) FROM request_count") < 60


async def test_a_submission_that_is_rolled_back_is_not_counted(intake: Intake) -> None:
    headers = write()
    for _ in range(2):
        await intake.app.post("/v1/requests", json=SUBMISSION, headers=headers)
    await assert_the_counts_are_true(intake)
