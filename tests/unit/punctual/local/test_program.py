"""What a failed program is quoted with."""

from __future__ import annotations

import pytest

from punctual.local.program import cause

INITDB = """\
creating configuration files ... ok
running bootstrap script ... 2026-11-22 21:41:00.000 GMT [1] FATAL:  could not write to file "pg_wal/x": No space left
child process exited with exit code 1
initdb: removing contents of data directory "/x"
"""


@pytest.mark.parametrize(
    ("output", "quoted"),
    [
        (INITDB, 'FATAL:  could not write to file "pg_wal/x": No space left'),
        ("one\ntwo\n", "two"),
        ("", "no message"),
    ],
)
def test_the_line_that_says_why_is_quoted(output: str, quoted: str) -> None:
    assert cause(output).endswith(quoted)
