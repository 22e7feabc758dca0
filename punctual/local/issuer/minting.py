"""Makes the answer of the token endpoint: an access token, an id token where it was asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from punctual.local.issuer.accounts import Account
from punctual.local.issuer.signing_keys import SigningKeys
from shared.ids import new_token

LIFETIME = timedelta(minutes=15)
"""A token cannot be called back: what somebody may is at most this old."""


class Mint:
    """Args:
    issuer: our URL.
    audience: of access tokens.
    """

    def __init__(self, keys: SigningKeys, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    def tokens(
        self, account: Account, client_id: str, scope: str, *, signed_in_at: int, nonce: str | None, now: datetime
    ) -> dict[str, Any]:
        """Without the refresh token.

        Args:
            signed_in_at: when the password was given, seconds since 1970.
            now: real time.
        """
        issued_at = int(now.timestamp())
        times = {"iat": issued_at, "exp": issued_at + int(LIFETIME.total_seconds())}
        who = {"iss": self._issuer, "sub": account.subject, "preferred_username": account.name}
        access = {
            **who,
            **times,
            "aud": self._audience,
            "nbf": issued_at,
            "jti": new_token(),
            "client_id": client_id,
            "scope": scope,
            "roles": list(account.roles),
            "teams": list(account.teams),
        }
        answer = {
            "access_token": self._keys.sign(access, "at+jwt"),
            "token_type": "Bearer",
            "expires_in": times["exp"] - issued_at,
            "scope": scope,
        }
        if "openid" in scope.split():
            identity = {**who, **times, "aud": client_id, "auth_time": signed_in_at}
            if nonce is not None:
                identity["nonce"] = nonce
            answer["id_token"] = self._keys.sign(identity, "JWT")
        return answer
