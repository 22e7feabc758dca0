"""How much one request may gather. What is kept of it is read with every move, so nothing of it grows without end."""

from __future__ import annotations

from services.intake.domain import moves
from services.intake.domain.life import Life
from services.intake.domain.moves import Move
from services.intake.domain.refusing import MoveRefused
from shared.errors import PunctualError

MOST_ATTRIBUTES = 64
"""As many as one submission may have."""

MOST_AWAITED = 64
"""Documents that the customer is asked for at a time, for all reasons together."""

MOST_ENTRIES = 2_000
"""Of a history. The longest that people make have some hundred."""

RESERVED = 200
"""Further entries for what brings it to its end."""

_ADDING = (
    moves.ReceiveMessage,
    moves.Note,
    moves.InformCustomer,
    moves.Attach,
    moves.ReceiveDocuments,
    moves.Pause,
    moves.Extend,
    moves.Signal,
    moves.SplitOff,
    moves.Complain,
    moves.Absorb,
    moves.GiveFeedback,
)
"""Brings no request to its end: none may use up what is reserved for stages and control points."""

_SETTLING = (
    moves.Close,
    moves.Cancel,
    moves.MergeInto,
    moves.ConfirmFinding,
    moves.DismissFinding,
)
"""Taken however long the history is: nobody does it twice."""


class TooMuch(PunctualError):
    """The request would have more of something than one may; the message says how many.

    Attributes:
        field: of the move.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check_attributes(life: Life, move: moves.ChangeFacts) -> None:
    """A request that has more from before this was asked can still have them changed.

    Raises:
        TooMuch: it would have too many.
    """
    count = len(life.attributes.keys() | move.attributes.keys())
    if count > max(MOST_ATTRIBUTES, len(life.attributes)):
        raise TooMuch("attributes", f"the request would have {count} attributes; at most {MOST_ATTRIBUTES} are kept")


def check_awaited(life: Life, further: tuple[str, ...]) -> None:
    """
    Args:
        further: documents that were not asked for before.

    Raises:
        TooMuch: too many would be missing.
    """
    count = sum(map(len, life.awaited.values())) + len(further)
    if further and count > MOST_AWAITED:
        raise TooMuch(
            "documents", f"{count} documents would be missing; at most {MOST_AWAITED} are asked for at a time"
        )


def check_room(life: Life, move: Move) -> None:
    """What rules and clocks say is not asked here: a stage bounds it, and people enter no further ones.

    Raises:
        MoveRefused: the history is too long for it.
    """
    if life.version < MOST_ENTRIES or isinstance(move, _SETTLING):
        return
    if isinstance(move, moves.Absorb):
        detail = f"the request that it would be merged into has {life.version} entries and takes in no other"
        raise MoveRefused("history_full", detail, "into", ["a request with a shorter history"])
    if isinstance(move, _ADDING) or (isinstance(move, moves.Respond) and life.is_responded):
        detail = f"the history has {life.version} entries, and only what brings the request to its end is taken"
        raise MoveRefused("history_full", detail)
    if life.version >= MOST_ENTRIES + RESERVED:
        detail = f"the history has {life.version} entries; close, cancel or merge the request, or judge its findings"
        raise MoveRefused("history_full", detail)
