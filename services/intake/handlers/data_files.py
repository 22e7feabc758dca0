"""Reads the files of the data folder; what cannot be read stops the start with its name."""

from __future__ import annotations

from pathlib import Path

from shared.errors import ConfigurationError

RETENTION = "retention.yml"
VALIDATION = "validation.yml"


def read_text(file: Path) -> str:
    """
    Raises:
        ConfigurationError: names the file.
    """
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from None


def read_texts(folder: Path, pattern: str) -> list[tuple[str, str]]:
    """The names and texts of the files that match, at least one.

    Raises:
        ConfigurationError: names the folder.
    """
    try:
        found = [(str(path), path.read_text(encoding="utf-8")) for path in sorted(folder.glob(pattern))]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{folder}: {error}") from None
    if not found:
        raise ConfigurationError(f"{folder} holds no {pattern}; PUNCTUAL_INTAKE_DATA_FOLDER names the folder above it")
    return found
