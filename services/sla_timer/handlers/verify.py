"""Rebuilds every clock from its history and tells where what is stored is something else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from services.sla_timer.domain.case import open_case
from services.sla_timer.domain.history import Happening
from services.sla_timer.domain.verifying import Difference, verify, verify_decisions
from services.sla_timer.handlers.reading_jobs import AT_ONCE, StoredRules, Tell, one_snapshot
from services.sla_timer.store import histories
from services.sla_timer.store.tracked import TrackedRequest, load_requests
from shared.clock import monotonic
from shared.postgres import Connection


async def run_verify(url: str, tell: Tell) -> None:
    """Look at everything in one snapshot; tell progress, every difference, and the result."""
    began, requests, clocks, differences = monotonic(), 0, 0, 0
    rules = StoredRules()
    async with one_snapshot(url, "sla_timer-verify") as connection:
        total = await histories.count_requests(connection)
        async for request_ids in histories.walk_request_ids(connection, AT_ONCE):
            batch = await load_requests(connection, request_ids)
            await rules.learn(connection, {version for request in batch.values() for version in _versions(request)})
            for request, found in await _compare(connection, batch.values(), rules):
                differences += len(found)
                for difference in found:
                    _tell_difference(tell, request, difference)
            requests += len(batch)
            clocks += sum(len(request.clocks) for request in batch.values())
            tell({"kind": "progress", "phase": "clocks", "done": requests, "total": total})
        wrong = await histories.find_wrong_counts(connection)
    for count in wrong:
        where = {"partition": count.partition, "objective": count.objective, "state": count.state}
        tell({"kind": "difference", **where, "field": "count", "stored": count.kept, "rebuilt": count.counted})
    tell(
        {
            "kind": "result",
            "requests": requests,
            "clocks": clocks,
            "differences": differences + len(wrong),
            "seconds": round(monotonic() - began, 3),
        }
    )


async def _compare(
    connection: Connection, requests: Iterable[TrackedRequest], rules: StoredRules
) -> list[tuple[TrackedRequest, list[Difference]]]:
    known = list(requests)
    clock_ids = {clock.clock_id for request in known for clock in request.clocks.values()}
    standing = await histories.load_standing(connection, clock_ids)
    compared: list[tuple[TrackedRequest, list[Difference]]] = []
    for request in known:
        case = open_case(
            request.request_id,
            request.reference,
            request.history,
            request.facts,
            request.policy_version,
            rules.known,
        )
        found = verify(case, request.clocks)
        for clock in request.clocks.values():
            found += verify_decisions(clock, standing.get((clock.clock_id, clock.cycle), ()))
        if found:
            compared.append((request, found))
    return compared


def _tell_difference(tell: Tell, request: TrackedRequest, difference: Difference) -> None:
    whose = {"request_id": request.request_id, "reference": request.reference}
    tell({"kind": "difference", **whose, **asdict(difference)})


def _versions(request: TrackedRequest) -> set[int]:
    return {request.policy_version} | {
        int(entry.details["version"])
        for entry in request.history
        if entry.happening is Happening.POLICY_APPLIED and entry.details is not None
    }
