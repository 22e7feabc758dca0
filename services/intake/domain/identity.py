"""Who and what a request is, as the hash of its first entry covers it: all that its row says and no entry changes."""

from __future__ import annotations

import hashlib
from uuid import UUID

from shared.contracts.payload import Language, Market
from shared.values import value


@value
class Identity:
    """Attributes:
    external_id_hash: of the channel's own id of the request; None where it gave none. The id itself can be erased,
        and then the hash stays and tells nothing.
    """

    request_id: UUID
    reference: str
    channel: str
    market: Market
    language: Language
    customer_id: UUID
    external_id_hash: bytes | None = None


def hash_external_id(salt: bytes, external_id: str) -> bytes:
    """32 bytes; without the salt nobody finds out by trying whether an id is the one."""
    return hashlib.sha256(salt + external_id.encode()).digest()
