"""Seals a cursor that ends on what its caller has not been shown.

A page ends after so many entries of an index, whoever's requests they stand for. Where to go on from is then a request
of others, with its id and an instant of its life: the caller carries it to the next page and cannot read it.
"""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.encryption import Undecipherable
from shared.encryption.customer_key import decrypt, encrypt

_SEALED = "~"
"""Begins a sealed cursor, and none that is not; addresses carry it as it is."""

_BOUND_TO = b"cursor of a list"


class CursorSeal:
    """Keeps nothing: every process that has the secret opens what another one sealed."""

    def __init__(self, secret: str) -> None:
        """
        Args:
            secret: the key is derived from it, so that nothing else that the secret serves is touched.
        """
        self._key = HKDF(SHA256(), 32, salt=None, info=b"punctual intake cursors").derive(secret.encode())

    def close(self, cursor: str) -> str:
        sealed = encrypt(self._key, cursor.encode(), _BOUND_TO)
        return _SEALED + base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, cursor: str) -> str:
        """The cursor as it was before; one that is not sealed is returned as it is.

        Raises:
            ValueError: it was not sealed here.
        """
        if not cursor.startswith(_SEALED):
            return cursor
        sealed = cursor.removeprefix(_SEALED)
        try:
            return decrypt(self._key, base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)), _BOUND_TO).decode()
        except Undecipherable as broken:
            raise ValueError("the cursor was sealed elsewhere, or damaged") from broken
