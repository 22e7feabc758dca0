"""However many requests are stored, a page, a count and a look for reminders read a bounded number of rows."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain.life import State
from services.intake.domain.visibility import Visibility
from services.intake.store import reminders
from services.intake.store.listing.finding import _COLUMNS, _statement, find
from services.intake.store.listing.pages import _begin, _fetch, count_up_to, list_page, only_walk, read_conditions
from services.intake.store.listing.walks import Walk, choose_walk
from services.intake.store.listing.wanted import Order, Wanted
from shared.contracts.payload import Market, Priority, RequestKind
from shared.postgres import Connection, Database
from shared.postgres.statements import Statement
from tests.integration.intake.front_door import START, Intake
from tests.integration.intake.stored import fill

STORED = 20_000
MOST_SEEN = 500
COUNT = 20

CASES: dict[str, Wanted] = {
    "everything": Wanted(),
    "the oldest": Wanted(order=Order.OLDEST),
    "a channel": Wanted(visibility=Visibility("app")),
    "some teams": Wanted(visibility=Visibility(teams=frozenset({"team_3", "team_4"}))),
    "a kind": Wanted(kind=RequestKind.CLAIM),
    "a market that nothing is of": Wanted(market=Market.TAIWAN),
    "a priority": Wanted(priority=Priority.URGENT),
    "a team": Wanted(team="team_3"),
    "a team, the oldest": Wanted(team="team_3", order=Order.OLDEST),
    "what a team works on": Wanted(team="team_4", is_over=False),
    "a handler": Wanted(handler="s-1"),
    "a handler that nobody is": Wanted(handler="s-9"),
    "a team and a handler that have nothing in common": Wanted(team="team_3", handler="s-1"),
    "a stage": Wanted(stage="received"),
    "what is in a stage": Wanted(stage="received", is_over=False),
    "open": Wanted(state=State.OPEN),
    "paused": Wanted(state=State.PAUSED),
    "closed": Wanted(state=State.CLOSED),
    "merged": Wanted(state=State.MERGED),
    "a process": Wanted(process="claim"),
    "a product line that nothing is of": Wanted(product_line="pets"),
    "a customer": Wanted(visibility=Visibility("app"), customer="C-1"),
    "a customer's open ones": Wanted(channel="app", customer="C-1", is_over=False),
    "an external id": Wanted(external_id="EXT-77"),
    "a reference": Wanted(reference="R77"),
    "submitted on a day": Wanted(
        submitted_from=START - timedelta(days=360), submitted_to=START - timedelta(days=359), team="team_1"
    ),
    "overdue": Wanted(order=Order.DUE, due_before=START),
    "due within a day": Wanted(
        order=Order.DUE, due_after=START - timedelta(days=358), due_before=START - timedelta(days=357)
    ),
    "submitted before, the newest first": Wanted(submitted_to=START - timedelta(days=358)),
    "submitted after, the oldest first": Wanted(submitted_from=START - timedelta(days=358), order=Order.OLDEST),
    "due, of a team": Wanted(order=Order.DUE, team="team_4"),
    "due, the newest first": Wanted(due_before=START - timedelta(days=364)),
    "changed": Wanted(order=Order.CHANGED, changed_since=START - timedelta(days=358)),
    "changed, the newest first": Wanted(changed_since=START - timedelta(days=358)),
    "much at once": Wanted(
        kind=RequestKind.CLAIM, market=Market.HONG_KONG, stage="received", team="team_4", is_over=False
    ),
}


@pytest.fixture
async def administrator(database_urls: dict[str, str]) -> AsyncIterator[Database]:
    database = await Database.open(database_urls["admin"], schema="intake", application_name="tests")
    yield database
    await database.close()


@pytest.fixture
async def full(intake: Intake, administrator: Database) -> Intake:
    async with intake.database.connection() as connection:
        stored = await connection.fetchval("SELECT count(*) FROM request")
    if not stored:
        await fill(intake, administrator, STORED)
    return intake


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def rows_read(plan: dict[str, Any]) -> int:
    """By the leaves of the plan, with what they passed over."""
    read = 0
    for node in nodes(plan):
        if node["Node Type"] == "Subquery Scan":
            continue
        passed_over = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        own = node["Actual Rows"] if "Scan" in node["Node Type"] else 0
        read += int((own + passed_over) * node["Actual Loops"])
    return read


async def explained(connection: Connection, statement: Statement, parameters: dict[str, Any]) -> dict[str, Any]:
    text = await connection.fetchval(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", *(parameters[name] for name in statement.parameters)
    )
    plan: dict[str, Any] = json.loads(text)[0]["Plan"]
    return plan


@pytest.mark.parametrize("wanted", CASES.values(), ids=CASES)
async def test_a_page_reads_a_bounded_number_of_rows(full: Intake, wanted: Wanted) -> None:
    async with full.database.snapshot() as connection:
        found = await _begin(connection, wanted)
        assert found is not None
        walk, parameters = found
        parameters |= walk.bounds(wanted, None) | {"most_seen": MOST_SEEN, "count": COUNT}
        for purpose in ("page", "end", "count", "count_all"):
            plan = await explained(connection, walk.statement(purpose), parameters)
            kinds = {node["Node Type"] for node in nodes(plan)}
            assert not kinds & {"Seq Scan", "Bitmap Heap Scan", "Sort", "Incremental Sort", "Hash Join"}, plan
            # An entry of the index, its request, and up to two rows looked up for it; for each line two more.
            assert rows_read(plan) <= 4 * MOST_SEEN + 10 * COUNT, plan


_AT = START - timedelta(days=100)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(order=Order.DUE, due_after=_AT),
        Wanted(order=Order.NEWEST, submitted_to=_AT),
        Wanted(order=Order.OLDEST, submitted_from=_AT),
        Wanted(order=Order.CHANGED, changed_since=_AT),
    ],
)
def test_a_walk_begins_where_the_span_does(wanted: Wanted) -> None:
    """The plan does not show what an index passes over before it."""
    assert choose_walk(wanted, None).bounds(wanted, None)["at"] == _AT


@pytest.mark.parametrize("wanted", CASES.values(), ids=CASES)
async def test_page_by_page_comes_what_reading_everything_gives(full: Intake, wanted: Wanted) -> None:
    async with full.database.snapshot() as connection:
        whole = await list_page(connection, wanted, None, 30_000, most_seen=50_000)
        assert whole.next is None
        pieces: list[Any] = []
        after = None
        while True:
            page = await list_page(connection, wanted, after, 1_500, most_seen=2_000)
            pieces += page.lines
            after = page.next
            if after is None:
                break
        assert pieces == list(whole.lines)
        assert (await count_up_to(connection, wanted, cap=30_000)).value == len(pieces)


async def test_the_filters_find_what_a_plain_condition_finds(full: Intake) -> None:
    plain = {
        "a team": "team = 'team_3'",
        "what a team works on": "team = 'team_4' AND ended_as IS NULL",
        "what is in a stage": "stage = 'received' AND ended_as IS NULL",
        "a priority": "priority = 'urgent'",
        "open": "ended_as IS NULL AND pause_reasons = '{}'",
        "closed": "ended_as = 'closed'",
        "due, of a team": "team = 'team_4' AND ended_as IS NULL AND version = 1 AND reference LIKE 'R%'",
        "changed": f"submitted_at >= '{START - timedelta(days=358)}'",
    }
    async with full.database.snapshot() as connection:
        expected = {
            name: await connection.fetchval(f"SELECT count(*) FROM request WHERE {condition}")
            for name, condition in plain.items()
        }
        found = {name: (await count_up_to(connection, CASES[name], cap=30_000)).value for name in plain}
    assert found == expected


CONDITIONS: list[dict[str, Any]] = [
    {"visibility": Visibility("app")},
    {"visibility": Visibility(teams=frozenset({"team_3"}))},
    {"visibility": Visibility(teams=frozenset())},
    {"channel": "app"},
    {"channel": "web"},
    {"kind": RequestKind.CLAIM},
    {"team": "team_4"},
    {"handler": "s-1"},
    {"stage": "received"},
    {"state": State.OPEN},
    {"state": State.PAUSED},
    {"state": State.CLOSED},
    {"is_over": False},
    {"is_over": True},
    {"process": "claim_motor"},
    {"product_line": "motor"},
    {"submitted_from": START - timedelta(days=358)},
    {"submitted_to": START - timedelta(days=358)},
    {"due_before": START - timedelta(days=358)},
    {"due_after": START - timedelta(days=358)},
    {"order": Order.DUE},
    {"order": Order.CHANGED},
]


async def test_what_an_index_alone_counts_is_what_looking_at_each_request_counts(full: Intake) -> None:
    pairs = itertools.combinations_with_replacement(CONDITIONS, 2)
    wanted = [each for one, other in pairs if not (each := Wanted(**one | other)).is_of_others]
    counted_by_index = 0
    async with full.database.snapshot() as connection:
        for each in wanted:
            found = await _begin(connection, each)
            assert found is not None
            walk, parameters = found
            counted_by_index += walk.leads_only_to(each)
            parameters |= walk.bounds(each, None) | {"most_seen": 50_000, "count": 30_000}
            looked_at = await _fetch(connection, walk, "count", parameters)
            assert (await count_up_to(connection, each, cap=30_000)).value == looked_at[0][0], each
    assert counted_by_index > len(CONDITIONS)


async def test_finding_by_a_word_reads_each_code_and_not_each_request(full: Intake) -> None:
    parameters = {"word": "3", "most_codes": 500, "most_found": 10, "customer": "C-1"}
    statements = [_statement("codes", column, predicate) for column, predicate in _COLUMNS.items()]
    async with full.database.snapshot() as connection:
        await only_walk(connection)
        for statement in (*statements, _statement("customers")):
            plan = await explained(connection, statement, parameters)
            assert rows_read(plan) <= 100, plan


@pytest.mark.parametrize(
    ("wanted", "most"),
    [
        (Wanted(), 100),
        (Wanted(visibility=Visibility("app")), 100),
        (Wanted(visibility=Visibility("fax")), MOST_SEEN),
        (Wanted(visibility=Visibility(teams=frozenset({"team_3"}))), 200),
        (Wanted(visibility=Visibility(teams=frozenset({"nobody"})), is_over=False), MOST_SEEN),
        (Wanted(team="team_3", is_over=False), MOST_SEEN),
        (Wanted(market=Market.TAIWAN), MOST_SEEN),
        (Wanted(due_before=START - timedelta(days=1_000)), 2 * MOST_SEEN),
        (Wanted(changed_since=START + timedelta(days=1_000)), 2 * MOST_SEEN),
    ],
    ids=str,
)
async def test_the_beginning_of_an_id_leads_to_a_few(full: Intake, wanted: Wanted, most: int) -> None:
    """Not even who sees no such id, or asks for what none of them is, has those of others read to their end."""
    walk = Walk("along_beginnings", prefix="EXT-1")
    async with full.database.snapshot() as connection:
        conditions = await read_conditions(connection, wanted)
        assert conditions is not None
        await only_walk(connection)
        ends = {"beyond": "EXT-2", "most_found": 10, "most_seen": MOST_SEEN, "count": COUNT}
        plan = await explained(connection, walk.statement("page"), conditions | walk.bounds(wanted, None) | ends)
        assert not {node["Node Type"] for node in nodes(plan)} & {"Seq Scan", "Hash Join"}, plan
        assert 0 < rows_read(plan) <= most, plan


async def test_a_span_hides_nothing_that_an_id_leads_to(full: Intake) -> None:
    """More were submitted in the span after it than a walk along the span comes past."""
    span = Wanted(submitted_from=START - timedelta(days=1_000))
    async with full.database.snapshot() as connection:
        for text, number in (("EXT-77", 10), ("s-1", COUNT), ("no such", 0)):
            assert len((await find(connection, span, text, COUNT)).lines) == number, text
        assert not (await find(connection, replace(span, submitted_to=span.submitted_from), "EXT-77", COUNT)).lines


async def test_a_count_says_when_it_is_not_exact(full: Intake) -> None:
    async with full.database.snapshot() as connection:
        beyond = await count_up_to(connection, Wanted(), cap=1_000)
        assert (beyond.value, beyond.is_exact) == (1_000, False)
        unseen = await count_up_to(connection, Wanted(market=Market.TAIWAN), most_seen=1_000)
        assert (unseen.value, unseen.is_exact) == (0, False)
        exact = await count_up_to(connection, Wanted(handler="s-1"))
        assert (exact.value, exact.is_exact) == (20, True)


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    ("name", "most"), [("lock_due_reminders", 2 * COUNT), ("next_reminder_look", 1), ("list_open_ids", COUNT)]
)
async def test_a_look_for_reminders_reads_a_bounded_number_of_rows(
    administrator: Database, name: str, most: int
) -> None:
    """Half of the timers are due, as after an outage."""
    statement = reminders._STATEMENTS[name]
    parameters = {"now": START, "count": COUNT, "after": UUID(int=0)}
    async with administrator.connection() as connection:
        trying = connection.transaction()
        await trying.start()
        await connection.execute(
            "INSERT INTO reminder_timer SELECT request_id, $1::timestamptz + (random() - 0.5) * interval '1 day'"
            " FROM request WHERE ended_as IS NULL",
            START,
        )
        await connection.execute("ANALYZE reminder_timer")
        plan = await explained(connection, statement, parameters)
        await trying.rollback()
    assert not {node["Node Type"] for node in nodes(plan)} & {"Seq Scan", "Sort", "Hash Join"}, plan
    assert 0 < rows_read(plan) <= most, plan
