"""What a look-up costs while more and more requests are stored: lists, counts, one request, the summary."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx

from bench.figures import Figure, milliseconds
from bench.quantiles import median
from bench.rig import Measured, postgres_version, running_system, say
from bench.stored_requests import copy_requests
from punctual.local.system import LocalSystem
from shared.clock import monotonic, real_now
from shared.ids import new_id

SUMMARY = "milliseconds per look-up with more and more requests stored, and the ratio of the last to the first"

_AT_A_TIME = 250_000  # copies of a transaction: its notes and locks stay small, and progress is seen
_WARM_UP = 5
_SECONDS = 60.0

_LISTS: Mapping[str, Mapping[str, str]] = {
    "newest": {},
    "what a team works on": {"team": "team_4", "over": "false"},
    "a handler": {"handler": "s-1"},
    "in a stage, not over": {"stage": "received", "over": "false"},
    "most urgent first": {"sort": "due"},
    "an external id": {"external_id": "EXT-77"},
    "a customer's, not over": {"customer": "C-bench", "channel": "app", "over": "false"},
    "in words": {"q": "EXT-77"},
    "nothing is so": {"market": "TW"},
    "counted": {"team": "team_3", "count": "true", "limit": "1"},
}


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--requests", type=int, nargs="+", default=[5_000, 500_000], help="stored, one run each (%(default)s)"
    )
    parser.add_argument("--calls", type=int, default=50, help="of each look-up (%(default)s)")


def run(options: argparse.Namespace) -> Measured:
    with running_system(services=("intake",)) as system:
        figures = asyncio.run(_rounds(system, sorted(options.requests), options.calls))
        return Measured(figures, postgres_version(system))


async def _rounds(system: LocalSystem, sizes: list[int], calls: int) -> list[Figure]:
    figures: list[Figure] = []
    medians: list[dict[str, float]] = []
    async with httpx.AsyncClient(base_url=system.addresses["intake"], timeout=_SECONDS) as client:
        model = await _submit(client, system.keys["app"])
        client.headers["Authorization"] = f"Bearer {system.keys['staff']}"
        stored = 0
        for size in sizes:
            say(f"filling up to {size:,} requests")
            await _fill(system, UUID(model["id"]), stored, size)
            stored = size
            medians.append(await _measure(client, model, calls))
            figures += [milliseconds(f"{size:,} stored: {name}", middle) for name, middle in medians[-1].items()]
    if len(sizes) > 1:
        figures += [
            Figure(f"{sizes[-1]:,} to {sizes[0]:,}: {name}", middle / medians[0][name])
            for name, middle in medians[-1].items()
        ]
    return figures


async def _submit(client: httpx.AsyncClient, key: str) -> dict[str, str]:
    customer = {"id": "C-bench", "name": "Bench", "language": "en"}
    answer = await client.post(
        "/v1/requests",
        json={"kind": "claim", "market": "HK", "product_line": "motor", "customer": customer},
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": new_id().hex},
    )
    answer.raise_for_status()
    view: dict[str, str] = answer.json()
    return view


async def _fill(system: LocalSystem, model: UUID, stored: int, wanted: int) -> None:
    connection = await asyncpg.connect(system.admin_database_url, server_settings={"search_path": "intake"})
    began, begin_at = monotonic(), real_now() - timedelta(minutes=wanted + 1)
    try:
        for first in range(stored + 1, wanted + 1, _AT_A_TIME):
            async with connection.transaction():
                last = min(wanted, first + _AT_A_TIME - 1)
                await copy_requests(connection, model, first, last, begin_at)
            say(f"{last:,} stored after {monotonic() - began:,.0f} s")
        await connection.execute("VACUUM ANALYZE request, request_event, deadline")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _measure(client: httpx.AsyncClient, model: Mapping[str, str], calls: int) -> dict[str, float]:
    """Look-up to the median of its seconds."""
    paths = {name: ("/v1/requests", query) for name, query in _LISTS.items()}
    # The copies follow a minute apart up to now, and are due after eight hours.
    due = {name: (real_now() + timedelta(hours=at)).isoformat() for name, at in (("due_after", 1), ("due_before", 3))}
    paths |= {
        "due in a span": ("/v1/requests", due),
        "one request": (f"/v1/requests/{model['reference']}", {}),
        "the customer's page": (httpx.URL(model["status_url"]).path, {}),
        "the summary": ("/v1/summary", {}),
    }
    medians = {}
    for name, (path, query) in paths.items():
        seconds = []
        for _ in range(_WARM_UP + calls):
            began = monotonic()
            answer = await client.get(path, params=query)
            seconds.append(monotonic() - began)
            answer.raise_for_status()
        medians[name] = median(seconds[_WARM_UP:])
    return medians
