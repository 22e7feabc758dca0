"""What a caller is shown of what quality_audit tells of a request.

Who handles cases must not know which closed ones were chosen before the review is there, or would handle those with
more care and make the sample worthless. The finished review is theirs to learn from; whose it is, is not. Channels have
nothing to do with either: a review judges the work of people in the house.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from shared.contracts.quality import ReviewCompleted

QUALITY_SOURCE = "/punctual/quality_audit"

_REVIEWER = "reviewer"


class ReviewSight(Enum):
    ALL = "all"
    FINISHED = "finished"
    NOTHING = "nothing"

    @property
    def types(self) -> tuple[str, ...] | None:
        """The types of events, without versions, that are shown; None: all. What is not listed may be a choice."""
        return {ReviewSight.ALL: None, ReviewSight.FINISHED: (ReviewCompleted.TYPE,), ReviewSight.NOTHING: ()}[self]

    def shown_data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Of the data of an event that is shown."""
        return {name: given for name, given in data.items() if self is ReviewSight.ALL or name != _REVIEWER}
