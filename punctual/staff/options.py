"""Options of the commands that talk to a running system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shared.errors import ConfigurationError

UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="sla_timer's address; PUNCTUAL_SLA_TIMER_URL, else the running local system."),
]
IntakeUrlOption = Annotated[
    str | None,
    typer.Option("--url", help="intake's address; PUNCTUAL_INTAKE_URL, else the running local system."),
]
NotifierUrlOption = Annotated[
    str | None,
    typer.Option("--notifier-url", help="notifier's address; PUNCTUAL_NOTIFIER_URL, else the running local system."),
]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", help="A staff key, better in PUNCTUAL_STAFF_KEY; without one the sign-in counts."),
]


def read_text(file: Path) -> str:
    """The text of a file that the caller named.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file}: is not UTF-8 text") from None
