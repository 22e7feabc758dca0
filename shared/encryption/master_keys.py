"""The keys of the house that encrypt the customers' keys; they come from the environment and are stored nowhere."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from shared.encryption.customer_key import KEY_BYTES, CustomerKey, Undecipherable, decrypt, encrypt
from shared.errors import Retryable

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


class MasterKeyMissing(Retryable):
    """A customer's key is encrypted with a master key that is not configured here; once it is, the work can be done."""


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """Attributes:
    current: name of the one that new customers' keys are encrypted with; the others only decrypt.
    """

    current: str
    secrets: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> MasterKeys:
        """Read ``name:key,name:key``, the current one first; a key is 32 bytes in Base64, usual or for URLs.

        Raises:
            ValueError: says which part is wrong, never its value.
        """
        secrets: dict[str, bytes] = {}
        for number, part in enumerate(text.split(","), start=1):
            name, colon, encoded = part.strip().partition(":")
            if not colon or not _NAME.fullmatch(name):
                raise ValueError(f"part {number} is not name:key, with a name of letters, digits, _ and -")
            if name in secrets:
                raise ValueError(f"the name {name} stands there twice")
            secrets[name] = _read_key(encoded, name)
        return cls(next(iter(secrets)), secrets)

    def new_key(self, customer_id: UUID) -> CustomerKey:
        secret = os.urandom(KEY_BYTES)
        return CustomerKey(customer_id, self._wrap(customer_id, secret), secret)

    def unwrap(self, customer_id: UUID, wrapped: bytes) -> CustomerKey:
        """
        Raises:
            MasterKeyMissing: names the key that is wanted.
            Undecipherable: it is damaged or another customer's.
        """
        name = self._name_in(wrapped)
        encrypted = wrapped[1 + len(name) :]
        return CustomerKey(customer_id, wrapped, decrypt(self._secret(name), encrypted, _bound_to(customer_id)))

    def rewrap(self, key: CustomerKey) -> CustomerKey:
        """The same key, encrypted with the current master key."""
        return CustomerKey(key.customer_id, self._wrap(key.customer_id, key.secret), key.secret)

    def _wrap(self, customer_id: UUID, secret: bytes) -> bytes:
        name = self.current.encode()
        encrypted = encrypt(self.secrets[self.current], secret, _bound_to(customer_id))
        return bytes([len(name)]) + name + encrypted

    def _secret(self, name: str) -> bytes:
        try:
            return self.secrets[name]
        except KeyError:
            raise MasterKeyMissing(f"PUNCTUAL_MASTER_KEYS holds no key named {name}") from None

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those that might be given later: no master key has a name like those that damaged keys seem to carry."""
        return [name for name in names if name not in self.secrets and _NAME.fullmatch(name)]

    @staticmethod
    def _name_in(wrapped: bytes) -> str:
        try:
            name = wrapped[1 : 1 + wrapped[0]].decode("ascii")
        except (IndexError, UnicodeDecodeError):
            name = ""
        if not _NAME.fullmatch(name):  # waiting for a master key of such a name would be waiting for ever
            raise Undecipherable("it is no customer's key")
        return name


def _bound_to(customer_id: UUID) -> bytes:
    return b"key:" + customer_id.bytes


def _read_key(encoded: str, name: str) -> bytes:
    try:
        key = base64.b64decode(encoded.translate(str.maketrans("-_", "+/")) + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"the key {name} is not Base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"the key {name} has {len(key)} bytes and needs {KEY_BYTES}")
    return key
