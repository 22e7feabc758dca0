"""How a claim is shared out between customers and staff, so that neither waits behind a flood of the other's mails."""

from __future__ import annotations

_SHARE = 4


def kept_for_staff(count: int, turn: int) -> int:
    """How many of the next ``count`` mails: a quarter, at least one; where it is a single mail, every fourth time.

    Args:
        turn: how many claims there were before.
    """
    if count == 1:
        return 1 if turn % _SHARE == _SHARE - 1 else 0
    return max(1, count // _SHARE)
