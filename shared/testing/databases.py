"""A fresh, migrated database on a real server, thrown away afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from shared.ids import new_id
from shared.postgres.migrations import migrate_all


@asynccontextmanager
async def fresh_database(
    admin_url: str, services: Sequence[str], template: str = "template1"
) -> AsyncIterator[dict[str, str]]:
    """Gives service -> database URL of its login role; ``admin`` -> the administrator's.

    Args:
        template: what it begins as. A copy of a migrated one is there in a quarter of the time.
    """
    name = f"test_{new_id().hex}"
    administrator = await asyncpg.connect(admin_url)
    try:
        await administrator.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        urls = {service: _url(admin_url, name, f"punctual_{service}", "test-only") for service in services}
        await migrate_all(_url(admin_url, name), urls)
        yield {**urls, "admin": _url(admin_url, name)}
    finally:
        await administrator.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await administrator.close()


def _url(admin_url: str, database: str, role: str | None = None, password: str | None = None) -> str:
    parts = urlsplit(admin_url)
    place = parts.netloc.rpartition("@")[2]
    who = parts.netloc.rpartition("@")[0] if role is None else f"{role}:{password}"
    return urlunsplit((parts.scheme, f"{who}@{place}", f"/{database}", "", ""))
