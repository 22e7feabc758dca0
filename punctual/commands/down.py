"""``punctual down``: end the local system, and forget its data when asked to."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Annotated

import psutil
import typer

from punctual.commands.options import HomeOption, JsonOption, folders_of, print_json
from punctual.local.folders import Folders, readable_errors
from punctual.local.placement import forget_postgres
from punctual.local.run_record import HomeLock, end_left_over, supervisor_of
from shared.errors import PunctualError

_STOP_SECONDS = 60.0


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("down", epilog="Example: punctual down --forget")(down)


def down(
    home: HomeOption = None,
    forget: Annotated[
        bool,
        typer.Option("--forget", help="Remove data, logs and secrets too, those of replays as well; downloads stay."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """End the local system in order: services first, then mail, Kafka and Postgres."""
    folders = folders_of(home)
    did_run = _end(folders, lambda line: typer.echo(line, err=True))
    if forget:
        _forget(folders)
    if as_json:
        print_json({"home": str(folders.home), "did_run": did_run, "is_forgotten": forget})
        return
    typer.echo("The system has ended." if did_run else "Nothing was running.")
    if forget:
        typer.echo(f"Data, logs and secrets in {folders.home} are gone.")


def _end(folders: Folders, report: Callable[[str], None]) -> bool:
    supervisor = supervisor_of(folders.run_file)
    if supervisor is None:
        return end_left_over(folders.run_file, report)
    try:
        supervisor.terminate()
        supervisor.wait(_STOP_SECONDS)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        raise PunctualError(f"the system (process {supervisor.pid}) belongs to another account") from None
    except psutil.TimeoutExpired:
        raise PunctualError(
            f"the system (process {supervisor.pid}) has not ended after {_STOP_SECONDS:.0f} s"
        ) from None
    return True


def _forget(folders: Folders) -> None:
    if not folders.home.is_dir():
        return
    lock = HomeLock(folders)
    lock.take()  # a system that is just starting keeps its data
    with readable_errors():
        forget_postgres(folders)
        for folder in (folders.data, folders.logs):
            if folder.is_dir():
                shutil.rmtree(folder)
        replays = folders.home / "replay"
        for home in replays.glob("*"):  # a replay without --url has a system of its own
            _end(Folders(home, folders.parts), lambda _: None)
            _forget(Folders(home, folders.parts))
        if replays.is_dir():
            shutil.rmtree(replays)
    lock.release()
