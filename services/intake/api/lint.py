"""The program that checks files without a server; it imports a fifth of what the service does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from services.intake.api.words import load_words, worded
from services.intake.domain.validation.reading import read_validation
from services.intake.handlers.data_files import VALIDATION, read_text
from services.intake.handlers.lint import lint_automation, lint_processes
from services.intake.handlers.validation_file import lint_validation
from shared.errors import ConfigurationError

_SHIPPED = Path(__file__).parents[1] / "data"


def main() -> None:
    """Check files of one sort: the errors and remarks on stdout, as JSON."""
    try:
        sys.stdout.write(json.dumps(_lint(sys.argv[1:])) + "\n")
    except ConfigurationError as error:
        sys.exit(str(error))


def _lint(words: list[str]) -> dict[str, Any]:
    match words:
        case ["validation", file]:
            return lint_validation(Path(file))
        case ["automation", file]:
            return lint_automation(Path(file))
        case ["process", *files] if files:
            personal = read_validation(read_text(_SHIPPED / VALIDATION), VALIDATION).personal
            return lint_processes(map(Path, files), worded(load_words(_SHIPPED / "status_page")), personal)
        case _:
            sys.exit("usage: python -m services.intake.api.lint process FILE... | automation FILE | validation FILE")


if __name__ == "__main__":
    main()
