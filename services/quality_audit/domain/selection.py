"""Which units are reviewed: a function of the period's secret and the unit, of nothing else.

No order, no counter, no lock and no person takes part, so replays, partitions and two processes agree, and with the
revealed secret anybody can prove every choice. A higher rate only adds units: samples are nested.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

TICKETS = 2**64
"""A ticket is one of so many equally likely numbers."""


@dataclass(frozen=True, slots=True)
class UnitId:
    """What is sampled: one cycle of a request. A reopened request is a new unit."""

    request_id: UUID
    cycle: int


def secret_of_period(master: bytes, period: str) -> bytes:
    """The key of one period; revealing it afterwards tells nothing about other periods."""
    return hmac.digest(master, b"punctual/period/1|" + period.encode(), hashlib.sha256)


def commitment(period_secret: bytes) -> str:
    """What is written down before the period's first choice: the secret cannot be changed for a better sample."""
    return hashlib.sha256(period_secret).hexdigest()


def ticket_of(key: bytes, message: bytes) -> int:
    """The message's number in [0, 2**64): the first eight bytes of HMAC-SHA-256, big endian."""
    return int.from_bytes(hmac.digest(key, message, hashlib.sha256)[:8], "big")


def unit_ticket(period_secret: bytes, unit: UnitId) -> int:
    """The purpose stands in the message, so that other draws with the same key are independent of this one."""
    return ticket_of(period_secret, f"punctual/sample/1|{unit.request_id}|{unit.cycle}".encode())


def threshold(rate: float) -> int | None:
    """Tickets below it are chosen; None chooses all (2**64 itself would not fit where tickets are kept)."""
    return None if rate >= 1.0 else int(rate * TICKETS)


def is_chosen(ticket: int, rate: float) -> bool:
    """Compared as integers: no rounding may decide."""
    limit = threshold(rate)
    return limit is None or ticket < limit


def as_text(ticket: int) -> str:
    """Sixteen hexadecimal digits; their order as text is the order of the numbers."""
    return f"{ticket:016x}"
