"""``punctual demo``: the whole system with traffic one can watch."""

from __future__ import annotations

from typing import Annotated

import typer

from punctual.commands.options import HomeOption, folders_of


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("demo", epilog="Example: punctual demo --speed 3600 --rate 4")(demo)


def demo(
    home: HomeOption = None,
    speed: Annotated[
        float, typer.Option(help="Business seconds per real second; 3600 shows an hour in a second.", min=1, max=1e6)
    ] = 3600.0,
    rate: Annotated[
        float, typer.Option(help="Requests per real second, on average of a business week.", min=0.01, max=500)
    ] = 4.0,
    seed: Annotated[int, typer.Option(help="Another seed makes other customers and other requests.", min=0)] = 1,
    duration: Annotated[
        float | None, typer.Option(help="End by itself after so many real seconds.", metavar="SECONDS", min=1)
    ] = None,
    no_traffic: Annotated[bool, typer.Option("--no-traffic", help="Only the system; you send the requests.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Figures as JSON lines on stdout, every five seconds.")
    ] = False,
) -> None:
    """Start everything with simulated customers, handlers and a reviewer, and show what happens. Ctrl-C ends it."""
    from rich.console import Console

    from punctual.demo.run import DemoOptions, run_demo

    options = DemoOptions(
        home=folders_of(home).home,
        speed=speed,
        rate=rate,
        seed=seed,
        duration=duration,
        has_traffic=not no_traffic,
        is_json=as_json,
    )
    run_demo(options, Console(stderr=as_json))
