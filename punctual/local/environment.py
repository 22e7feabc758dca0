"""Where a running system is found, and the services as programs that are told so by their environment."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from punctual.local.business_clock import ClockState
from punctual.local.credentials import Credentials
from punctual.local.folders import Folders
from punctual.local.ports import HOST
from punctual.local.postgres import ADMIN, database_url
from punctual.local.program import Program, http_ready

HOLDING_PERSONAL_DATA = ("intake", "notifier")


@dataclass(frozen=True)
class Addresses:
    """Where a running system is found.

    Attributes:
        services: name of a process -> its URL.
        databases: service -> the URL it connects with, password included.
        admin_database: the administrator's URL, password included.
        mail_url: the page with the mails caught.
        issuer_url: the embedded issuer; None where none runs.
    """

    services: Mapping[str, str]
    databases: Mapping[str, str]
    admin_database: str
    kafka_bootstrap: str
    mail_url: str
    smtp_host: str
    smtp_port: int
    issuer_url: str | None

    @classmethod
    def of(cls, ports: Mapping[str, int], credentials: Credentials, processes: Sequence[str]) -> Addresses:
        """From the ports chosen; ``processes`` are those that serve HTTP."""
        port = ports["postgres"]
        return cls(
            services={name: f"http://{HOST}:{ports[name]}" for name in processes},
            databases={
                name: database_url(port, f"punctual_{name}", password)
                for name, password in credentials.role_passwords.items()
            },
            admin_database=database_url(port, ADMIN, credentials.admin_password),
            kafka_bootstrap=f"{HOST}:{ports['kafka']}",
            mail_url=f"http://{HOST}:{ports['mail_web']}",
            smtp_host=HOST,
            smtp_port=ports["mail_smtp"],
            issuer_url=f"http://{HOST}:{ports['issuer']}",
        )

    def public(self) -> dict[str, str]:
        """What may be shown: no passwords."""
        return {
            **self.services,
            "mail": self.mail_url,
            **({} if self.issuer_url is None else {"issuer": self.issuer_url}),
            "kafka": self.kafka_bootstrap,
            "postgres": self.admin_database.rpartition("@")[2],
            "smtp": f"{self.smtp_host}:{self.smtp_port}",
        }


def platform_environment(where: Addresses, clock: ClockState | None, keys_file: Path) -> dict[str, str]:
    """What every service gets."""
    values = {
        "PUNCTUAL_KAFKA_BOOTSTRAP": where.kafka_bootstrap,
        "PUNCTUAL_API_KEYS_FILE": str(keys_file),
        "PUNCTUAL_CLOCK_SPEED": "1.0",
        # Empty means not given: values of the caller's own must not get through to the children.
        "PUNCTUAL_CLOCK_START": "",
        "PUNCTUAL_CLOCK_ANCHOR": "",
        "PUNCTUAL_TLS_CERTIFICATE": "",
        "PUNCTUAL_TLS_KEY": "",
        "PUNCTUAL_OIDC_ISSUER": where.issuer_url or "",
        "PUNCTUAL_OIDC_AUDIENCE": "",
        "PUNCTUAL_OIDC_ROLES_CLAIM": "",
        "PUNCTUAL_OIDC_TEAMS_CLAIM": "",
        "PUNCTUAL_OIDC_NAME_CLAIM": "",
        "PUNCTUAL_OIDC_ROLE_NAMES": "",
    }
    if "intake" in where.services:
        values["PUNCTUAL_PUBLIC_URL"] = where.services["intake"]
    if clock is not None:
        values["PUNCTUAL_CLOCK_SPEED"] = repr(clock.speed)
        values["PUNCTUAL_CLOCK_START"] = clock.start.isoformat()
        values["PUNCTUAL_CLOCK_ANCHOR"] = clock.anchor.isoformat()
    return values


def service_program(service: str, name: str, port: int, folders: Folders, env: Mapping[str, str]) -> Program:
    """A process of a service; ``name`` differs from ``service`` for a second one."""
    return Program(
        name=name,
        command=(sys.executable, "-m", f"services.{service}"),
        log=folders.log(name),
        folder=folders.home,
        env=env,
        ready=partial(http_ready, port, "/readyz"),
    )


def service_environment(service: str, port: int, where: Addresses, credentials: Credentials) -> dict[str, str]:
    """What one service gets on top; nothing of another's."""
    prefix = f"PUNCTUAL_{service.upper()}"
    values = {
        f"{prefix}_DATABASE_URL": where.databases[service],
        f"{prefix}_HTTP_HOST": HOST,
        f"{prefix}_HTTP_PORT": str(port),
    }
    if service in HOLDING_PERSONAL_DATA:
        values["PUNCTUAL_MASTER_KEYS"] = credentials.master_keys
    if service == "intake":
        values[f"{prefix}_RATE_PER_SECOND"] = (
            "0"  # one machine has one user: replays and benchmarks go as fast as it can
        )
        values[f"{prefix}_SIGNATURE_SECRET"] = credentials.signature_secret
    if service == "notifier":
        values[f"{prefix}_SMTP_HOST"] = where.smtp_host
        values[f"{prefix}_SMTP_PORT"] = str(where.smtp_port)
    if service == "quality_audit":
        values[f"{prefix}_SAMPLING_SECRET"] = credentials.sampling_secret
    return values
