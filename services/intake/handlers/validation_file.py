"""Reads validation.yml: at the start, and for whoever checks a file without a server."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from services.intake.domain.validation.linting import find_remarks, rule_lines
from services.intake.domain.validation.reading import read_validation
from services.intake.handlers.data_files import read_text
from services.intake.handlers.validation import Validation
from shared.errors import ConfigurationError
from shared.rules.document import InvalidDocument

SHORTEST_SECRET, LONGEST_SECRET = 32, 64
"""Characters: what new secrets of this project have at least, and what the hash of the signatures takes."""


def load_validation(file: Path, secret: str, loaded_at: datetime) -> Validation:
    """
    Args:
        secret: of the signatures.
        loaded_at: now, business time.

    Raises:
        ConfigurationError: names file, line and field of everything that is wrong, or the secret.
    """
    if not SHORTEST_SECRET <= len(secret.encode()) <= LONGEST_SECRET:
        raise ConfigurationError(
            f"PUNCTUAL_INTAKE_SIGNATURE_SECRET needs {SHORTEST_SECRET} to {LONGEST_SECRET} characters (bytes of UTF-8)"
        )
    text = read_text(file)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Validation(read_validation(text, str(file)), secret.encode(), sha256=digest, loaded_at=loaded_at)


def lint_validation(file: Path) -> dict[str, Any]:
    """What is wrong with the file, and what may not be meant.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    text = read_text(file)
    try:
        book = read_validation(text, str(file))
    except InvalidDocument as error:
        return {"errors": [asdict(complaint) for complaint in error.complaints], "remarks": []}
    remarks = find_remarks(book, rule_lines(text, str(file)), str(file))
    return {"errors": [], "remarks": [asdict(remark) for remark in remarks]}
