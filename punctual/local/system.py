"""Kafka, Postgres, a mail catcher, an issuer and the services, on this machine, as children of this process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from punctual.local.business_clock import BusinessClock
from punctual.local.child import Child
from punctual.local.credentials import Credentials, load_credentials
from punctual.local.environment import Addresses, platform_environment, service_environment, service_program
from punctual.local.folders import Folders, readable_errors
from punctual.local.foundations import issuer_program, mail_program, prepared_kafka, prepared_postgres
from punctual.local.log_files import shorten
from punctual.local.migration import import_what_migrates, make_topics, migrate_database
from punctual.local.parts.store import Progress
from punctual.local.placement import forget_abandoned
from punctual.local.ports import choose_ports
from punctual.local.program import Program
from punctual.local.run_record import HomeLock, end_left_over, recorded_ports, write_run
from punctual.local.settings import LocalSettings
from punctual.local.supervisor import Supervisor
from shared.settings import load_settings

SERVICES = ("intake", "sla_timer", "notifier", "quality_audit")
FOUNDATIONS = ("postgres", "kafka", "mail", "issuer")

_FOUNDATION_PORTS = ("kafka", "kafka_controller", "postgres", "mail_smtp", "mail_web", "issuer")
_READY_SECONDS = 90.0  # after a kill Kafka may have to replay its log, and Postgres its own


class LocalSystem:
    """One system in one home.

    Args:
        home: its folder; made when it is not there.
        clock_speed: business seconds per real second.
        clock_start: business instant of the first start; later starts go on where the last one stopped.
        ports: ``preferred`` takes the usual ones where they are free, ``auto`` any free ones.
        services: which to run.
        extra_env: for all services; wins over ours.
        report: takes lines for a person: downloads, ports, restarts. Called from several threads.
        foundations: which of Postgres, Kafka, mail and issuer to run; tests of one of them need no others.
        partitions: of each topic when it is made.
    """

    def __init__(
        self,
        home: Path,
        *,
        clock_speed: float = 1.0,
        clock_start: datetime | None = None,
        ports: Literal["auto", "preferred"] = "preferred",
        services: Sequence[str] = SERVICES,
        extra_env: Mapping[str, str] | None = None,
        report: Callable[[str], None] = print,
        foundations: Collection[str] = FOUNDATIONS,
        partitions: int = 8,
    ) -> None:
        self._settings = load_settings(LocalSettings)
        self.folders = Folders(home, self._settings.parts)
        self._clock_speed = clock_speed
        self._clock_start = clock_start
        self._port_mode: Literal["auto", "preferred"] = ports
        self._services = tuple(services)
        self._extra_env = dict(extra_env or {})
        self._report = report
        self._foundations = tuple(foundations)
        self._partitions = partitions
        self._lock = HomeLock(self.folders)
        self._supervisor = Supervisor(report, self._record)
        self._progress = Progress(report)
        self._state = "stopped"
        self._clock = BusinessClock(self.folders.clock_file, None)
        self._has_left_over = False
        self._ports: dict[str, int] = {}
        self._last_ports: dict[str, int] = {}
        self._added: dict[str, str] = {}
        self._credentials: Credentials | None = None

    def start(self) -> None:
        """Bring everything up; return when all of it serves.

        Raises:
            ConfigurationError: something about this machine or a setting is in the way; one readable message.
            StartFailed: a child did not come up; the message has the end of its log.
        """
        self.folders.make()
        self._lock.take()
        try:
            self._begin()
            self._start_foundations()
            self._migrate()
            self._begin_clock()
            self._start_together([self._service_program(service, service) for service in self._services])
            self._state = "ready"
            self._record()
            self._supervisor.watch(self._chore)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything in order, services first. Does nothing when nothing runs."""
        if self._state != "stopped":
            self._state = "stopping"
            self._supervisor.stop([[*self._services, *self._added], ["mail", "issuer"], ["kafka", "postgres"]])
            self._clock.keep(is_stopped=True)
            self._clock = BusinessClock(self.folders.clock_file, None)
            self._state = "stopped"
            self._record()
        self._lock.release()

    def process(self, name: str) -> Child:
        """A child by name: ``kafka``, ``postgres``, ``mail``, ``issuer``, a service, or one that was added."""
        return self._supervisor.children[name]

    def add_process(self, service: str, name: str) -> Child:
        """A second process of a service, on a port of its own; returns when it serves."""
        self._ports |= choose_ports([name], "auto", self._report, last=self._last_ports)
        self._added[name] = service
        self._start_together([self._service_program(service, name)])
        return self.process(name)

    @property
    def where(self) -> Addresses:
        """All addresses of the running system."""
        assert self._credentials is not None, "not started"
        addresses = Addresses.of(self._ports, self._credentials, [*self._services, *self._added])
        return addresses if "issuer" in self._foundations else replace(addresses, issuer_url=None)

    @property
    def addresses(self) -> Mapping[str, str]:
        """URL of every service process."""
        return self.where.services

    @property
    def admin_database_url(self) -> str:
        return self.where.admin_database

    @property
    def kafka_bootstrap(self) -> str:
        return self.where.kafka_bootstrap

    @property
    def mail_url(self) -> str:
        return self.where.mail_url

    @property
    def issuer_url(self) -> str | None:
        """Where staff sign in; None where no issuer runs."""
        return self.where.issuer_url

    @property
    def accounts(self) -> Mapping[str, str]:
        """Account of the issuer -> password in plain text."""
        assert self._credentials is not None, "not started"
        return self._credentials.accounts

    @property
    def smtp(self) -> tuple[str, int]:
        return self.where.smtp_host, self.where.smtp_port

    @property
    def keys(self) -> Mapping[str, str]:
        """Caller -> API key in plain text."""
        assert self._credentials is not None, "not started"
        return self._credentials.api_keys

    def business_now(self) -> datetime:
        """The instant that the services take for now."""
        return self._clock.now()

    def _begin(self) -> None:
        self._has_left_over = end_left_over(self.folders.run_file, self._report)
        self._supervisor = Supervisor(self._report, self._record)
        self._progress = Progress(self._report, self._supervisor.check)
        self._added = {}
        self._credentials = load_credentials(self.folders, self._services)
        forget_abandoned()
        self._last_ports = recorded_ports(self.folders.run_file)
        names = [*_FOUNDATION_PORTS, *self._services]
        self._ports = choose_ports(names, self._port_mode, self._report, last=self._last_ports)
        self._state = "starting"
        self._record()

    def _start_foundations(self) -> None:
        """All at once: while Kafka's Java starts, Postgres is up already, and what the migration imports is loaded."""
        jobs = {
            "postgres": self._postgres_program,
            "kafka": self._kafka_program,
            "mail": self._mail_program,
            "issuer": self._issuer_program,
        }

        def start(program: Callable[[], Program]) -> None:
            self._start_together([program()])

        with ThreadPoolExecutor(len(jobs)) as pool:
            starts = [pool.submit(start, job) for name, job in jobs.items() if name in self._foundations]
            try:
                import_what_migrates()
                wait(starts)
            except BaseException:  # Ctrl-C: the threads must not finish their downloads first
                self._supervisor.give_up()
                raise
        for done in starts:
            done.result()

    def _migrate(self) -> None:
        assert self._credentials is not None
        if "postgres" in self._foundations:
            migrate_database(self.where.admin_database, {name: self.where.databases[name] for name in self._services})
        if "kafka" in self._foundations:
            make_topics(self.where.kafka_bootstrap, self._partitions)

    def _begin_clock(self) -> None:
        """As late as can be: an hour a second is lost on no download and no recovery of Kafka."""
        self._clock = BusinessClock.begin(
            self.folders.clock_file,
            speed=self._clock_speed,
            start=self._clock_start,
            ran_until_now=self._has_left_over,
        )
        if self._clock_start is not None and self._clock.state is not None and not self._clock.is_new:
            self._report(f"business time goes on from {self._clock.state.start:%Y-%m-%d %H:%M} UTC, where it stopped")

    def _start_together(self, programs: Sequence[Program]) -> None:
        children = [self._supervisor.add(program) for program in programs]
        for child in children:
            child.start()
        for child in children:
            child.wait_until_ready(_READY_SECONDS)

    def _postgres_program(self) -> Program:
        assert self._credentials is not None
        password = self._credentials.admin_password
        server = prepared_postgres(self.folders, self._settings, self._ports["postgres"], password, self._progress)
        return server.program()

    def _kafka_program(self) -> Program:
        return prepared_kafka(self.folders, self._settings, self._ports, self._progress).program()

    def _mail_program(self) -> Program:
        return mail_program(self.folders, self._ports)

    def _issuer_program(self) -> Program:
        assert self._credentials is not None
        return issuer_program(self.folders, self._ports, self._credentials.accounts)

    def _service_program(self, service: str, name: str) -> Program:
        assert self._credentials is not None
        port = self._ports[name]
        environment = {
            **platform_environment(self.where, self._clock.state, self.folders.keys_file),
            **service_environment(service, port, self.where, self._credentials),
            **self._extra_env,
        }
        return service_program(service, name, port, self.folders, environment)

    def _chore(self) -> None:
        self._clock.keep(is_stopped=False)
        for child in list(self._supervisor.children.values()):
            shorten(child.program.log)

    def _record(self) -> None:
        with readable_errors():
            values = {"state": self._state, "ports": self._ports, "addresses": self.where.public()}
            pids = {name: child.pid for name, child in list(self._supervisor.children.items()) if child.is_running}
            write_run(self.folders.run_file, values, pids)
