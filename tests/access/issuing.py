"""An issuer in memory: signs real tokens and answers for its keys without a socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from shared.http.access import ClaimNames, IssuerKeys, TrustedIssuer

ISSUER = "https://login.insurer.example/realms/staff"
AUDIENCE = "punctual"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

SORTS: Mapping[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


_made: dict[tuple[str, str], Any] = {}


def private_key(name: str, algorithm: str = "ES256") -> Any:
    """Made once for each name."""
    if (name, algorithm) not in _made:
        _made[name, algorithm] = SORTS[algorithm]()
    return _made[name, algorithm]


def published(key_id: str, algorithm: str = "ES256") -> dict[str, Any]:
    """The public half as a JWK."""
    public: dict[str, Any] = get_default_algorithms()[algorithm].to_jwk(
        private_key(key_id, algorithm).public_key(), as_dict=True
    )
    return {**public, "kid": key_id, "use": "sig", "alg": algorithm}


def claims_of(*roles: str, **changed: Any) -> dict[str, Any]:
    """Claims of a good token; a changed one that is None is left out."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "7f3a",
        "iat": NOW,
        "exp": NOW + timedelta(minutes=15),
        "preferred_username": "chan.tai-man",
        "roles": list(roles),
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


def token_of(*roles: str, key_id: str = "first", algorithm: str = "ES256", **changed: Any) -> str:
    """A token signed by the key of that id."""
    return jwt.encode(claims_of(*roles, **changed), private_key(key_id, algorithm), algorithm, {"kid": key_id})


class IssuerInMemory:
    """Attributes:
    keys: what its JWKS says.
    is_away: it refuses connections.
    asked: paths, in order.
    """

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [published("first")]
        self.is_away = False
        self.asked: list[str] = []
        self.elapsed = 1000.0
        self.discovery: dict[str, Any] = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}

    def issuer_keys(self) -> IssuerKeys:
        return IssuerKeys(ISSUER, transport=httpx.MockTransport(self._answer), elapsed=lambda: self.elapsed)

    def trusted(self, names: ClaimNames | None = None) -> TrustedIssuer:
        return TrustedIssuer(ISSUER, AUDIENCE, names or ClaimNames(), self.issuer_keys())

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.is_away:
            raise httpx.ConnectError("refused", request=request)
        if request.url.path.endswith("/.well-known/openid-configuration"):
            return httpx.Response(200, json=self.discovery)
        return httpx.Response(200, json={"keys": self.keys})
