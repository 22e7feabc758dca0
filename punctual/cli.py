"""``punctual``: one program, a module of ``punctual.commands`` per subcommand."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import typer

from shared.errors import ConfigurationError, PunctualError

COMMANDS = (
    "demo",
    "up",
    "down",
    "replay",
    "login",
    "logout",
    "whoami",
    "clocks",
    "policy",
    "process",
    "validation",
    "requests",
    "automation",
    "keys",
    "customers",
    "calendar",
    "mode",
    "doctor",
    "config",
    "migrate",
    "deadletter",
    "contracts",
)
"""In the order of `punctual --help`: what a newcomer needs first."""

EXIT_CONFIGURATION = 78  # EX_CONFIG, as the services
_EXIT_INTERRUPTED = 130
_ABOUT = "Keeps an insurer's promises on time and proves it."


def make_app(commands: Sequence[str] = COMMANDS) -> typer.Typer:
    """The program with these subcommands."""
    app = typer.Typer(
        no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, epilog="Example: punctual demo"
    )
    app.callback(help=_ABOUT)(point_to_the_local_system)
    for name in commands:
        module = importlib.import_module(f"punctual.commands.{name}")
        if hasattr(module, "register"):
            module.register(app)
        else:
            app.add_typer(module.app, name=name)
    return app


def called(arguments: Sequence[str]) -> Sequence[str]:
    """The subcommand that is called, so that no other has to be loaded; all of them for the overview."""
    return arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS


def point_to_the_local_system() -> None:
    """Where Kafka's address is not set, commands talk to the local system, if one runs."""
    from punctual.local.folders import read_json
    from punctual.local.settings import LocalSettings
    from shared.settings import load_settings

    if os.environ.get("PUNCTUAL_KAFKA_BOOTSTRAP"):
        return
    run = read_json(load_settings(LocalSettings).home / "data" / "run.json") or {}
    if run.get("state") == "ready":
        os.environ["PUNCTUAL_KAFKA_BOOTSTRAP"] = run["addresses"]["kafka"]


def main() -> None:
    """The entry point. An error of ours is one line on stderr; 78 is a wrong setting, 1 anything else."""
    try:
        make_app(called(sys.argv[1:]))()
    except ConfigurationError as error:
        sys.stderr.write(f"punctual: {error}\n")
        sys.exit(EXIT_CONFIGURATION)
    except PunctualError as error:
        sys.stderr.write(f"punctual: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(_EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
