"""``punctual up``: the whole system on this machine, in the background or in the foreground."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from punctual.commands.options import HomeOption, JsonOption, folders_of, print_json
from punctual.local.credentials import ACCOUNTS
from punctual.local.folders import Folders, read_json, readable_errors
from punctual.local.run_record import supervisor_of
from punctual.local.system import SERVICES, LocalSystem
from shared.errors import ConfigurationError, PunctualError

_LOOK_SECONDS = 0.05


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("up", epilog="Example: punctual up --clock-speed 3600 --clock-start 2026-03-02T09:00+08:00")(up)


def up(
    home: HomeOption = None,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay here until Ctrl-C or SIGTERM.")] = False,
    clock_speed: Annotated[float, typer.Option(min=0.001, help="Business seconds per real second.")] = 1.0,
    clock_start: Annotated[
        str | None, typer.Option(help="Business instant of the first start, ISO 8601; UTC when it has no offset.")
    ] = None,
    ports: Annotated[
        Literal["preferred", "auto"], typer.Option(help="`preferred` takes the usual ones where free, `auto` any.")
    ] = "preferred",
    service: Annotated[list[str] | None, typer.Option(help="Run this service only; may be repeated.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Start Kafka, Postgres, a mail catcher, an issuer and all services; print where they are. Data are kept."""
    folders = folders_of(home)
    start = None if clock_start is None else parse_instant(clock_start)
    if unknown := set(service or ()) - set(SERVICES):
        raise typer.BadParameter(f"there is no service {', '.join(sorted(unknown))}; there are {', '.join(SERVICES)}")
    if foreground:
        system = LocalSystem(
            folders.home,
            clock_speed=clock_speed,
            clock_start=start,
            ports=ports,
            services=service or SERVICES,
            report=lambda line: typer.echo(line, err=True),
        )
        _run_here(system, folders, as_json=as_json)
        return
    if supervisor_of(folders.run_file) is None:
        folders.make()
        _start_in_background(folders, [*sys.argv[1:], "--foreground"])
    elif not as_json:
        typer.echo("It runs already.")
    _show(folders, as_json=as_json)


def parse_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ConfigurationError(f"--clock-start: {text!r} is no instant like 2026-03-02T09:00+08:00") from None


def _run_here(system: LocalSystem, folders: Folders, *, as_json: bool) -> None:
    asked_to_end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        system.start()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, lambda *_: asked_to_end.set())
        _show(folders, as_json=as_json)
        asked_to_end.wait()
    finally:
        system.stop()


def _interrupt(*_: Any) -> None:
    """End a start that is under way as Ctrl-C would."""
    raise KeyboardInterrupt


def _start_in_background(folders: Folders, arguments: list[str]) -> None:
    """Start the same command in the foreground of a session of its own; show what it says until it is ready."""
    log = folders.log("supervisor")
    with readable_errors(), log.open("ab") as out:
        position = out.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "punctual.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=folders.home,
            start_new_session=True,
        )
    while not _is_ready(folders, process.pid):
        if process.poll() is not None:
            _pass_on(log, position)
            raise PunctualError(f"the system did not start; see {folders.logs}")
        position = _pass_on(log, position)
        time.sleep(_LOOK_SECONDS)


def _is_ready(folders: Folders, pid: int) -> bool:
    run = read_json(folders.run_file) or {}
    return run.get("state") == "ready" and (run.get("supervisor") or {}).get("pid") == pid


def _pass_on(log: Path, position: int) -> int:
    """Show on stderr what was added to a log since ``position``; the new position."""
    with log.open("rb") as file:
        file.seek(position)
        news = file.read()
    sys.stderr.write(news.decode(errors="replace"))
    sys.stderr.flush()
    return position + len(news)


def _show(folders: Folders, *, as_json: bool) -> None:
    run = read_json(folders.run_file) or {}
    shown = {
        "state": run.get("state"),
        "home": str(folders.home),
        "addresses": run.get("addresses"),
        "secrets": str(folders.secrets_file),
        "logs": str(folders.logs),
    }
    if as_json:
        print_json(shown)
        return
    for name, address in (run.get("addresses") or {}).items():
        typer.echo(f"{name:<16}{address}")
    typer.echo(f"{'keys':<16}{folders.secrets_file}")
    if "issuer" in (run.get("addresses") or {}):
        typer.echo(f"{'accounts':<16}{', '.join(ACCOUNTS)}; passwords beside the keys; sign in with `punctual login`")
    typer.echo(f"{'logs':<16}{folders.logs}")
