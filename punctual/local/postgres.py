"""A real Postgres server as a child: own password, own port, loopback only."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from punctual.local.account import Account
from punctual.local.folders import readable_errors
from punctual.local.ports import HOST
from punctual.local.program import Program, cause, postgres_ready
from shared.errors import ConfigurationError

ADMIN = "punctual_admin"
DATABASE = "punctual"

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path has a limit of about 100 characters that a checkout may exceed
    "max_connections": "150",  # five pools of 10, twice over for second processes, and the tests
    "shared_buffers": "128MB",
    "logging_collector": "off",  # the supervisor has the log
    "log_min_messages": "warning",
    "log_error_verbosity": "terse",  # the details of an error repeat the row, which may be personal
    "log_min_error_statement": "panic",  # and so do statements
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def database_url(port: int, role: str, password: str, database: str = DATABASE) -> str:
    """Where a role connects. Passwords are made of characters that need no quoting."""
    return f"postgresql://{role}:{password}@{HOST}:{port}/{database}"


class PostgresServer:
    """One data folder and the program that serves it.

    Args:
        binaries: the folder with ``initdb`` and ``postgres``.
        folder: the data folder; must lie where ``account`` can reach it.
        options: server settings on top of ours.
    """

    def __init__(
        self,
        *,
        binaries: Path,
        folder: Path,
        port: int,
        password: str,
        log: Path,
        account: Account | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._binaries = binaries
        self._folder = folder
        self._port = port
        self._password = password
        self._log = log
        self._account = account
        self._options = {**_SETTINGS, "port": str(port), **(options or {})}

    def prepare(self) -> None:
        """Make the data folder when there is none, with one database in it.

        Raises:
            ConfigurationError: initdb failed, the disk is full, or the data are of another major version.
        """
        with readable_errors():
            if self._folder.exists():
                self._check_version()
                return
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            self._remove_unfinished()
            fresh = self._folder.with_name(f"{self._folder.name}.new-{secrets.token_hex(3)}")
            fresh.mkdir(mode=0o700)
            self._own(fresh)
            self._initialise(fresh)
            fresh.rename(self._folder)

    def program(self) -> Program:
        settings = [word for name, value in self._options.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=(str(self._binaries / "postgres"), "-D", str(self._folder), *settings),
            log=self._log,
            folder=Path("/"),
            env={"LC_ALL": "C"},
            ready=partial(postgres_ready, self._port),
            stop_signal=signal.SIGINT,  # "fast": ends the sessions, writes a checkpoint
            account=self._account,
        )

    def _initialise(self, fresh: Path) -> None:
        # A file, not standard input: after the change of account /dev/stdin cannot be opened.
        password_file = fresh.with_name(f"{fresh.name}.password")
        password_file.touch(mode=0o600)
        self._own(password_file)
        password_file.write_text(self._password)
        try:
            self._run(
                "initdb",
                f"--pgdata={fresh}",
                f"--username={ADMIN}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
            )
        finally:
            password_file.unlink()
        # Single-user mode needs no server, no port and no client library.
        self._run("postgres", "--single", "-D", str(fresh), "postgres", text=f"CREATE DATABASE {DATABASE}\n")

    def _run(self, program: str, *arguments: str, text: str = "") -> None:
        path = self._binaries / program
        who = (
            {} if self._account is None else {"user": self._account.uid, "group": self._account.gid, "extra_groups": []}
        )
        try:
            done = subprocess.run(
                [path, *arguments],
                input=text,
                text=True,
                capture_output=True,
                check=False,
                cwd="/",
                env={**os.environ, "LC_ALL": "C"},
                **who,  # type: ignore[call-overload]
            )
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be run: {error.strerror or error}") from error
        with self._log.open("a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode != 0:
            raise ConfigurationError(f"{path} failed: {cause(done.stderr or done.stdout)}; all of it is in {self._log}")

    def _check_version(self) -> None:
        found = (self._folder / "PG_VERSION").read_text().strip()
        offered = major_version(self._binaries)
        if found != str(offered):
            raise ConfigurationError(
                f"the data in {self._folder} were written by Postgres {found}, "
                f"but {self._binaries} is version {offered}; "
                "set PUNCTUAL_POSTGRES_BIN to one of the old version, or forget the data with `make clean-data`"
            )

    def _own(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, self._account.uid, self._account.gid)

    def _remove_unfinished(self) -> None:
        for left in self._folder.parent.glob(f"{self._folder.name}.new-*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def major_version(binaries: Path) -> int:
    """The major version of the ``postgres`` in a folder.

    Raises:
        ConfigurationError: there is none, or it does not run.
    """
    try:
        line = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
        return int(line.split()[2].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz"))  # "postgres (PostgreSQL) 18.4"
    except (OSError, subprocess.CalledProcessError, IndexError, ValueError) as error:
        raise ConfigurationError(f"there is no usable postgres in {binaries}") from error
