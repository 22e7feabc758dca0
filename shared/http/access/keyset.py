"""The public keys of an issuer: those of its JWKS that can be trusted to check a signature (RFC 7517, RFC 8725)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

_FITTING: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""Algorithm -> the sort of key and the curve it needs. Only these are accepted: with a symmetric one, whoever can check
a token could also make one."""

ALGORITHMS = frozenset(_FITTING)

_SHORTEST_RSA = 2048  # bits; RFC 7518 forbids less
_MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class KeySet:
    """Attributes:
    keys: key id (None where the issuer gives none) and algorithm -> key.
    """

    keys: Mapping[tuple[str | None, str], PyJWK]

    def knows(self, key_id: str | None) -> bool:
        return key_id is None or any(known == key_id for known, _ in self.keys)

    def find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """The key of a token's header. A token that names none is checked with the only key there is, if it fits."""
        if key_id is not None:
            return self.keys.get((key_id, algorithm))
        fitting = [key for (_, fits), key in self.keys.items() if fits == algorithm]
        return fitting[0] if len(fitting) == 1 else None


def read_keys(document: Any) -> KeySet:
    """The usable keys of a JWKS; keys for other purposes, of other sorts or too weak are left out.

    Raises:
        ValueError: it is no JWKS, or has no usable key.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("has no list of keys")  # noqa: TRY004  what is wrong is what the issuer sent
    found: dict[tuple[str | None, str], PyJWK] = {}
    for entry in entries[:_MOST_KEYS]:
        if isinstance(entry, dict) and _is_for_signatures(entry):
            key_id = entry.get("kid")
            for algorithm, key in _usable(entry):
                found.setdefault((key_id if isinstance(key_id, str) else None, algorithm), key)
    if not found:
        raise ValueError("has no key that tokens could be checked with")
    return KeySet(found)


def _is_for_signatures(entry: Mapping[str, Any]) -> bool:
    operations = entry.get("key_ops")
    return entry.get("use", "sig") == "sig" and (not isinstance(operations, list) or "verify" in operations)


def _usable(entry: Mapping[str, Any]) -> list[tuple[str, PyJWK]]:
    found = []
    for algorithm, (sort, curve) in _FITTING.items():
        if (
            entry.get("kty") != sort
            or entry.get("alg", algorithm) != algorithm
            or curve not in (None, entry.get("crv"))
        ):
            continue
        try:
            key = PyJWK.from_dict(dict(entry), algorithm)
        except (PyJWTError, ValueError, TypeError, KeyError):
            continue
        if not isinstance(key.key, RSAPublicKey) or key.key.key_size >= _SHORTEST_RSA:
            found.append((algorithm, key))
    return found
