"""Options that several commands have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from punctual.local.folders import Folders
from punctual.local.settings import LocalSettings
from shared.settings import load_settings

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the local system; PUNCTUAL_HOME, else .punctual of the checkout."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def folders_of(home: Path | None) -> Folders:
    """The folders of the home that is meant."""
    settings = load_settings(LocalSettings)
    return Folders(home or settings.home, settings.parts)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))
