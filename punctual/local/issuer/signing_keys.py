"""The keys that tokens are signed with: made here, kept in a file of mode 600, replaced from time to time."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm
from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from punctual.local.folders import readable_errors, write_whole
from shared.errors import ConfigurationError
from shared.ids import new_token

ALGORITHM = "ES256"

_REPLACED_AFTER = timedelta(days=30)
_PUBLISHED_FOR = timedelta(hours=1)
"""After its replacement: the longest that a token signed with it can be good, and some more."""


class SigningKey(BaseModel):
    """Attributes:
    private: PEM, PKCS 8.
    replaced_at: when another took over; None for the one that signs.
    """

    key_id: str
    private: str
    made_at: AwareDatetime
    replaced_at: AwareDatetime | None = None


_CONTENT = TypeAdapter(list[SigningKey])


class SigningKeys:
    """Raises ConfigurationError: the file is there and cannot be used."""

    def __init__(self, file: Path, now: datetime) -> None:
        self._file = file
        self._keys: list[SigningKey] = []
        with readable_errors():
            content = file.read_bytes() if file.exists() else b"[]"
        try:
            self._keys = _CONTENT.validate_json(content)
        except ValidationError:
            raise ConfigurationError(f"{file}: is no file of signing keys; remove it and new ones are made") from None
        if not self._keys or now - self._signing.made_at > _REPLACED_AFTER:
            self.rotate(now)

    def rotate(self, now: datetime) -> None:
        """Sign with a new key from now on; the one before stays published while its tokens are good."""
        kept = [
            key.model_copy(update={"replaced_at": key.replaced_at or now})
            for key in self._keys
            if key.replaced_at is None or now - key.replaced_at < _PUBLISHED_FOR
        ]
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self._keys = [*kept, SigningKey(key_id=new_token(), private=pem, made_at=now)]
        content = json.dumps([key.model_dump(mode="json") for key in self._keys], indent=1)
        with readable_errors():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, content + "\n", mode=0o600)

    def sign(self, claims: dict[str, Any], kind: str) -> str:
        """Args:
        kind: the header ``typ``, which keeps one sort of token from being taken for another.
        """
        key = self._signing
        return jwt.encode(claims, key.private, ALGORITHM, {"kid": key.key_id, "typ": kind})

    def published(self) -> dict[str, Any]:
        """The JWKS."""
        return {"keys": [_public(key) for key in self._keys]}

    @property
    def _signing(self) -> SigningKey:
        return self._keys[-1]


def _public(key: SigningKey) -> dict[str, Any]:
    private = ECAlgorithm(ECAlgorithm.SHA256).prepare_key(key.private)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    jwk = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {**jwk, "kid": key.key_id, "use": "sig", "alg": ALGORITHM}
