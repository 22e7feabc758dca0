"""``punctual replay``: play an event log of another system through the public HTTP API."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from punctual.commands.options import JsonOption, print_json

EXIT_INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("replay", epilog="Example: punctual replay teleclaims.xes.gz --map teleclaims --speed 60")(replay)


def replay(
    log: Annotated[Path, typer.Argument(help="Event log: CSV or XES, gzip or not.", metavar="LOG")],
    log_map: Annotated[
        Path, typer.Option("--map", help="What the log's columns and activities mean: a file, or a map's name.")
    ],
    speed: Annotated[
        float | None,
        typer.Option(
            help="Business seconds per real second; 3600 when not given, or what the running system has.", min=0.001
        ),
    ] = None,
    at_once: Annotated[
        bool,
        typer.Option("--at-once", help="Lay the whole log into the past and send it as fast as it is taken."),
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="Intake of a running system; when not given a system is brought up for it.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="API key for --url; better in PUNCTUAL_REPLAY_KEY, where no process list shows it."),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many cases.", metavar="CASES", min=1)] = None,
    begin: Annotated[
        str | None, typer.Option(help="Instant of the log's first event, with offset; moves the log.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the log; under another name it is sent as other requests.")
    ] = None,
    concurrency: Annotated[int, typer.Option(help="Calls under way at once.", min=1, max=256)] = 16,
    settle: Annotated[float, typer.Option(help="Seconds to wait for the clocks at the end.", min=0)] = 30.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what an earlier replay of this log left.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write everything here as JSON, every malformed line included.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Turn the cases of an event log into requests and their moves. A repeated replay doubles nothing."""
    from rich.console import Console

    from punctual.replay.options import Options
    from punctual.replay.run import run_replay

    secret = key or os.environ.get("PUNCTUAL_REPLAY_KEY", "")
    if url is not None and not secret:
        raise typer.BadParameter("--url needs an API key: --key, or PUNCTUAL_REPLAY_KEY")
    if at_once and speed is not None:
        raise typer.BadParameter("--at-once waits for no instant, so it takes no --speed")
    options = Options(
        log=log,
        map=log_map,
        name=name or log.name,
        speed=speed,
        is_at_once=at_once,
        url=_address(url),
        key=secret,
        limit=limit,
        begins_at=_instant(begin),
        concurrency=concurrency,
        settle_for=timedelta(seconds=settle),
        is_fresh=fresh,
    )
    outcome = run_replay(options, Console(stderr=True))
    if report is not None:
        outcome.write(report)
    if as_json:
        print_json(outcome.as_dict(whole=False))
    else:
        for line in outcome.lines():
            typer.echo(line)
    if outcome.stopped_by is not None:
        raise typer.Exit(1)
    if outcome.is_interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


def _address(text: str | None) -> str | None:
    if text is None:
        return None
    if not re.fullmatch(r"https?://[^/\s]+(/[^\s]*)?", text):
        raise typer.BadParameter("an address such as http://127.0.0.1:8801 is needed", param_hint="--url")
    return text.rstrip("/")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            "an instant such as 2026-03-02T09:00:00+08:00 is needed", param_hint="--begin"
        ) from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
