"""The frame: periods with their plan, and every closed request once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.quality_audit.domain.frame import Unit
from services.quality_audit.domain.plan import Facts
from services.quality_audit.domain.plan_text import PlanText, parse_plan
from services.quality_audit.domain.selection import UnitId
from services.quality_audit.domain.timeliness import Stretch
from shared.contracts.payload import RequestKind
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)

_PAGE = 2000  # about 1 MB and 20 ms of recomputing, so a proof of a big frame lets other work through


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """What a period was opened with.

    Attributes:
        secret_commitment: SHA-256 of the period's secret, hexadecimal.
    """

    plan_text: PlanText
    secret_commitment: str


async def open_period(
    connection: Connection, period: str, plan_text: PlanText, secret_commitment: str, opened_at: datetime
) -> OpenPeriod:
    """Open the period unless it is open; gives what holds for it, which may be an older plan."""
    await _STATEMENTS["insert_period"].execute(
        connection,
        period=period,
        plan_text=plan_text.text,
        plan_version=plan_text.plan.version,
        plan_digest=plan_text.digest,
        secret_commitment=secret_commitment,
        opened_at=opened_at,
    )
    found = await find_period(connection, period)
    assert found is not None
    return found


async def find_period(connection: Connection, period: str) -> OpenPeriod | None:
    row = await _STATEMENTS["select_period"].fetchrow(connection, period=period)
    if row is None:
        return None
    plan_text = parse_plan(row["plan_text"], f"the plan of {period}", is_stored=True)
    return OpenPeriod(plan_text, row["secret_commitment"])


async def framed_among(connection: Connection, units: Sequence[UnitId]) -> set[UnitId]:
    rows = await _STATEMENTS["select_framed"].fetch(
        connection, request_ids=[unit.request_id for unit in units], cycles=[unit.cycle for unit in units]
    )
    return {UnitId(row["request_id"], row["cycle"]) for row in rows}


async def add_units(connection: Connection, units: Sequence[Unit], stretches: Sequence[Stretch]) -> None:
    """A unit that is there already is refused by the schema.

    Args:
        stretches: of each unit, in their order.
    """
    await _STATEMENTS["insert_units"].execute(
        connection,
        request_ids=[unit.id.request_id for unit in units],
        cycles=[unit.id.cycle for unit in units],
        periods=[unit.period for unit in units],
        kinds=[unit.facts.kind.value for unit in units],
        outcomes=[unit.facts.outcome for unit in units],
        is_breacheds=[unit.facts.is_breached for unit in units],
        attributes=[json.dumps(dict(unit.facts.attributes)) for unit in units],
        closed_ats=[unit.closed_at for unit in units],
        risks=[unit.risk for unit in units],
        rates=[unit.rate for unit in units],
        tickets=[unit.ticket for unit in units],
        ticket_limits=[unit.limit for unit in units],
        is_sampleds=[unit.is_sampled for unit in units],
        began_ats=[stretch.began_at for stretch in stretches],
        ended_ats=[stretch.ended_at for stretch in stretches],
    )


async def frame_of(connection: Connection, period: str, page_size: int = _PAGE) -> AsyncIterator[list[Unit]]:
    """The whole frame of a period in the order of the ids, page by page."""
    last = UnitId(UUID(int=0), 0)
    while True:
        rows = await _STATEMENTS["select_units"].fetch(
            connection, period=period, after_request=last.request_id, after_cycle=last.cycle, limit=page_size
        )
        if not rows:
            return
        page = [
            Unit(
                id=UnitId(row["request_id"], row["cycle"]),
                period=row["period"],
                facts=Facts(
                    RequestKind(row["kind"]), row["outcome"], row["is_breached"], json.loads(row["attributes"])
                ),
                closed_at=row["closed_at"],
                risk=row["risk"],
                rate=row["rate"],
                ticket=row["ticket"],
                limit=row["ticket_limit"],
                is_sampled=row["is_sampled"],
            )
            for row in rows
        ]
        yield page
        last = page[-1].id
