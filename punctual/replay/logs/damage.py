"""What reading from a damaged file raises."""

from __future__ import annotations

import zlib

DAMAGE = (EOFError, OSError, zlib.error)
"""A gzip that is cut off, whose bits are wrong, or a disk that fails."""


def describe_damage(error: BaseException) -> str:
    detail = str(error) or type(error).__name__
    return f"the file is damaged here and was read no further: {detail[:200]}"
