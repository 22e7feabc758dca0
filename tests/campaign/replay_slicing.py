"""The first cases of a log as a log of its own, so that each kind of log can be replayed in seconds."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

from tests.campaign.replay_counting import read_map


def slice_log(log: Path, map_name: str, into: Path, *, cases: int) -> Path:
    """Every line of the first ``cases`` cases, in its place.

    Args:
        into: a folder.
    """
    part = into / log.name
    with gzip.open(log, "rt", encoding="utf-8", newline="") as file, gzip.open(part, "wt", encoding="utf-8") as target:
        if log.name.endswith(".xes.gz"):
            left = cases
            for line in file:
                target.write(line)
                left -= line.count("</trace>")
                if left <= 0:
                    break
            target.write("</log>\n")
        else:
            meaning = read_map(map_name)
            rows = csv.reader(file, delimiter=meaning.get("delimiter", ","))
            writer = csv.writer(target, delimiter=meaning.get("delimiter", ","))
            header = next(rows)
            writer.writerow(header)
            column = header.index(meaning["columns"]["case"])
            wanted: set[str] = set()
            for row in rows:
                if len(wanted) < cases:
                    wanted.add(row[column])
                if row[column] in wanted:
                    writer.writerow(row)
    return part
