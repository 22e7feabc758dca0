"""Checks process definitions and rules without a server, as they are checked before they come into force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.intake.domain.automation.linting import remark_on_automation
from services.intake.domain.automation.reading import read_automation
from services.intake.domain.process_files import Worded, read_process
from services.intake.domain.process_linting import remark_on_process
from services.intake.domain.validation.personal_names import PersonalNames
from services.intake.handlers.data_files import read_text
from shared.rules.document import InvalidDocument


def lint_automation(file: Path) -> dict[str, Any]:
    """What is wrong with a file of rules of automation, and what may not be meant.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    text = read_text(file)
    try:
        rules = read_automation(text, str(file))
    except InvalidDocument as error:
        return {"errors": [asdict(complaint) for complaint in error.complaints], "remarks": []}
    return {"errors": [], "remarks": [asdict(remark) for remark in remark_on_automation(rules, text, str(file))]}


def lint_processes(files: Iterable[Path], worded: Worded, personal: PersonalNames) -> dict[str, Any]:
    """What is wrong with the files, and what may not be meant; each for itself.

    Args:
        worded: what the status page has words for.
        personal: names that no attribute may have.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    found = [_lint_process(file, worded, personal) for file in files]
    return {part: [each for one in found for each in one[part]] for part in ("errors", "remarks")}


def _lint_process(file: Path, worded: Worded, personal: PersonalNames) -> dict[str, Any]:
    text = read_text(file)
    try:
        process = read_process(text, str(file), 1, worded=worded, personal=personal)
    except InvalidDocument as error:
        return {"errors": [asdict(complaint) for complaint in error.complaints], "remarks": []}
    return {"errors": [], "remarks": [asdict(remark) for remark in remark_on_process(process, text, str(file))]}
