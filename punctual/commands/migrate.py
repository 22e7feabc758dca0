"""``punctual migrate``: bring Postgres and Kafka to the state that this version of the services expects."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Annotated

import typer

from punctual.commands.config import services_found
from punctual.commands.options import HomeOption, JsonOption, folders_of, print_json
from punctual.local.credentials import load_credentials
from punctual.local.environment import Addresses
from punctual.local.folders import Folders, read_json
from punctual.local.migration import make_topics, migrate_database
from shared.clock import monotonic
from shared.errors import ConfigurationError, DatabaseUnavailable
from shared.settings import NO_DATABASE_URL, PlatformSettings, is_database_url, load_settings

_ADMIN = "PUNCTUAL_ADMIN_DATABASE_URL"
_PAUSE_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("migrate", epilog=f"Example: {_ADMIN}=postgresql://... punctual migrate --wait 60")(migrate)


def migrate(
    home: HomeOption = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for Postgres to answer, and each migration for locks.")
    ] = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Apply migrations, roles and grants, and make missing topics; what is there already is left alone.

    Takes PUNCTUAL_ADMIN_DATABASE_URL and PUNCTUAL_<SERVICE>_DATABASE_URL of each service, or, without the first, the
    local system that runs.
    """
    if os.environ.get(_ADMIN):
        admin, services = _url(_ADMIN), _from_environment()
        settings = load_settings(PlatformSettings)
        bootstrap, replication = settings.kafka_bootstrap, settings.topic_replication
        partitions = settings.topic_partitions
    else:
        where = _running(folders_of(home))
        admin, services, bootstrap = where.admin_database, dict(where.databases), where.kafka_bootstrap
        partitions, replication = load_settings(PlatformSettings).topic_partitions, 1
    applied = _patiently(admin, services, wait)
    topics = make_topics(bootstrap, partitions, replication)
    if as_json:
        print_json({"applied": applied, "topics": topics})
        return
    for line in [*applied, *(f"topic {name}" for name in topics)]:
        typer.echo(line)
    if not applied and not topics:
        typer.echo("Everything is up to date.")


def _from_environment() -> dict[str, str]:
    """Service -> database URL, of the services that have one set."""
    names = {service: f"PUNCTUAL_{service.upper()}_DATABASE_URL" for service in services_found()}
    services = {service: _url(name) for service, name in names.items() if os.environ.get(name)}
    if not services:
        raise ConfigurationError(
            f"set at least one of {', '.join(names.values())}: the roles and passwords come from them"
        )
    return services


def _url(name: str) -> str:
    url = os.environ[name]
    if not is_database_url(url):
        raise ConfigurationError(f"{name} {NO_DATABASE_URL}")
    return url


def _running(folders: Folders) -> Addresses:
    run = read_json(folders.run_file) or {}
    if run.get("state") != "ready":
        raise ConfigurationError(f"set {_ADMIN}, or start the local system with `punctual up`")
    services = [name for name in services_found() if name in run["ports"]]
    return Addresses.of(run["ports"], load_credentials(folders, services), services)


def _patiently(admin: str, services: dict[str, str], wait: float) -> list[str]:
    until = monotonic() + wait
    while True:
        try:
            return migrate_database(admin, services, timedelta(seconds=wait))
        except DatabaseUnavailable:
            if monotonic() >= until:
                raise
            time.sleep(_PAUSE_SECONDS)
