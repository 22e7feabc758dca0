"""The key of one customer: AES-256-GCM (NIST SP 800-38D), a random nonce of 96 bits for each text.

With random nonces a key is good for 2^32 texts; a customer has a few thousand at most.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import PunctualError

KEY_BYTES = 32
NONCE_BYTES = 12

_FORMAT = b"\x01"
"""The first byte of what is encrypted; another way of encrypting gets another one."""


class Undecipherable(PunctualError):
    """It was not encrypted with this key for this place, or it was damaged."""


@dataclass(frozen=True, slots=True)
class CustomerKey:
    """Encrypts what is held on one customer.

    Attributes:
        wrapped: the key as it is stored and sent, encrypted with a master key.
    """

    customer_id: UUID
    wrapped: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    def encrypt(self, text: str, place: str) -> bytes:
        """Args:
        place: where it will lie, such as ``request:<id>``; it can be decrypted only as being from there.
        """
        return encrypt(self.secret, text.encode(), self._bound_to(place))

    def decrypt(self, encrypted: bytes, place: str) -> str:
        """The inverse.

        Raises:
            Undecipherable: also if it was put into another place.
        """
        return decrypt(self.secret, encrypted, self._bound_to(place)).decode()

    def mark(self, text: str) -> bytes:
        """32 bytes that are the same for the same text of this customer, and tell nothing to those without the key."""
        return hmac.digest(hmac.digest(self.secret, b"punctual.mark.1", "sha256"), text.encode(), "sha256")

    def _bound_to(self, place: str) -> bytes:
        return self.customer_id.bytes + place.encode()


def encrypt(secret: bytes, plain: bytes, bound_to: bytes) -> bytes:
    """Format byte, nonce, ciphertext with its tag.

    Args:
        bound_to: is not stored; the same must be given for decrypting.
    """
    nonce = os.urandom(NONCE_BYTES)
    return _FORMAT + nonce + AESGCM(secret).encrypt(nonce, plain, bound_to)


def decrypt(secret: bytes, encrypted: bytes, bound_to: bytes) -> bytes:
    """The inverse of ``encrypt``.

    Raises:
        Undecipherable: it is not what was encrypted.
    """
    head = len(_FORMAT)
    if encrypted[:head] != _FORMAT:
        raise Undecipherable("it is encrypted in a way that is not known here")
    nonce, rest = encrypted[head : head + NONCE_BYTES], encrypted[head + NONCE_BYTES :]
    try:
        return AESGCM(secret).decrypt(nonce, rest, bound_to)
    except (InvalidTag, ValueError):
        raise Undecipherable("it is damaged, of another place, or of another key") from None
