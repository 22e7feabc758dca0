"""Opens a log: gzip or not, CSV or XES."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, cast

from punctual.replay.logs.csv_log import read_csv
from punctual.replay.logs.rows import Entry
from punctual.replay.logs.xes_log import read_xes
from shared.errors import ConfigurationError

Format = Literal["csv", "xes"]

_GZIP_MAGIC = b"\x1f\x8b"


def read_log(
    path: Path, *, log_format: Format | None, delimiter: str, encoding: str, needed: Iterable[str]
) -> Iterator[Entry]:
    """Every event of the log, and what could not be read.

    Args:
        log_format: None to go by the file's name.
        needed: columns that a CSV must have.

    Raises:
        ConfigurationError: the file cannot be opened, its format is not known, or a needed column is missing.
    """
    chosen = log_format or _format_by_name(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}") from None
    with file:
        stream = _decompressed(file)
        if chosen == "csv":
            yield from read_csv(stream, delimiter=delimiter, encoding=encoding, needed=needed, origin=str(path))
        else:
            yield from read_xes(stream)


def _format_by_name(path: Path) -> Format:
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".xes", ".xml")):
        return "xes"
    if name.endswith((".csv", ".tsv", ".txt")):
        return "csv"
    raise ConfigurationError(
        f"{path}: neither .csv nor .xes by its name; say `format: csv` or `format: xes` in the map"
    )


def _decompressed(file: BinaryIO) -> BinaryIO:
    head = file.read(len(_GZIP_MAGIC))
    file.seek(0)
    return cast(BinaryIO, gzip.GzipFile(fileobj=file)) if head == _GZIP_MAGIC else file
