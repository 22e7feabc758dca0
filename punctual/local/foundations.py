"""What the services stand on: each of these fetches what it needs, prepares its data and gives a program to run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial

from punctual.local.credentials import ACCOUNTS, TEAMS
from punctual.local.folders import Folders
from punctual.local.issuer.accounts import add_missing
from punctual.local.kafka import KafkaBroker
from punctual.local.parts.jars import ensure_jars
from punctual.local.parts.java import ensure_java
from punctual.local.parts.postgres_binaries import ensure_binaries
from punctual.local.parts.store import Progress
from punctual.local.placement import place_postgres
from punctual.local.postgres import PostgresServer
from punctual.local.program import Program, http_ready
from punctual.local.settings import LocalSettings


def prepared_postgres(
    folders: Folders, settings: LocalSettings, port: int, password: str, progress: Progress
) -> PostgresServer:
    """A Postgres whose data folder is there."""
    binaries = ensure_binaries(folders.parts, settings.postgres_bin, progress)
    placement = place_postgres(folders, binaries, settings.postgres_account)
    if not placement.data.is_relative_to(folders.home):
        progress.tell(f"{folders.home} is closed to the account of Postgres, its data are in {placement.data}")
    server = PostgresServer(
        binaries=placement.binaries,
        folder=placement.data,
        port=port,
        password=password,
        log=folders.log("postgres"),
        account=placement.account,
    )
    server.prepare()
    return server


def prepared_kafka(
    folders: Folders, settings: LocalSettings, ports: Mapping[str, int], progress: Progress
) -> KafkaBroker:
    """A broker whose storage is formatted."""
    broker = KafkaBroker(
        java=ensure_java(folders.parts, settings.java_home, progress),
        jars=ensure_jars(folders.parts, progress, settings.maven_repository),
        folder=folders.kafka,
        port=ports["kafka"],
        controller_port=ports["kafka_controller"],
        log=folders.log("kafka"),
    )
    broker.prepare()
    return broker


def mail_program(folders: Folders, ports: Mapping[str, int]) -> Program:
    """The mail catcher: takes every mail by SMTP and shows it in a browser."""
    return Program(
        name="mail",
        command=(
            sys.executable,
            "-m",
            "punctual.local.mailcatcher",
            "--smtp-port",
            str(ports["mail_smtp"]),
            "--http-port",
            str(ports["mail_web"]),
            "--store",
            str(folders.mail),
        ),
        log=folders.log("mail"),
        folder=folders.home,
        ready=partial(http_ready, ports["mail_web"], "/api/messages"),
    )


def issuer_program(folders: Folders, ports: Mapping[str, int], passwords: Mapping[str, str]) -> Program:
    """The embedded issuer, with an account for each role.

    Args:
        passwords: account -> password in plain text; only hashes of them are given to it.
    """
    add_missing(folders.issuer / "accounts.json", passwords, ACCOUNTS, TEAMS)
    return Program(
        name="issuer",
        command=(
            sys.executable,
            "-m",
            "punctual.local.issuer",
            "--http-port",
            str(ports["issuer"]),
            "--store",
            str(folders.issuer),
        ),
        log=folders.log("issuer"),
        folder=folders.home,
        ready=partial(http_ready, ports["issuer"], "/readyz"),
    )
