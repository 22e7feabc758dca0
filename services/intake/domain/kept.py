"""What stays as it was, where None means that there is none any more."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Kept(Enum):
    KEPT = "kept"


KEPT: Final = Kept.KEPT
