"""Checks rule files without a server: the same checks that stand between a text and its coming into force."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.sla_timer.domain.rulebook import lint
from services.sla_timer.handlers.rulebooks import RuleFiles
from shared.rules.document import InvalidDocument


def lint_files(policies: Path, calendars: Path) -> dict[str, Any]:
    """What is wrong with the files, and what may not be meant.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    sources = RuleFiles(policies, calendars).read()
    try:
        remarks = lint(sources)
    except InvalidDocument as error:
        return {"errors": [asdict(complaint) for complaint in error.complaints], "remarks": []}
    return {"errors": [], "remarks": [asdict(remark) for remark in remarks]}
