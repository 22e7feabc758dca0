"""Checks a token: well formed, signed by the issuer, for us, and in its time. Pure; the caller brings keys and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.exceptions import (
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    MissingRequiredClaimError,
    PyJWTError,
)

from shared.http.access.keyset import ALGORITHMS, KeySet

LEEWAY = timedelta(seconds=30)
"""By how much the issuer's clock and ours may differ."""

_LONGEST = 16_384  # characters; a token with the groups of a large directory has a few thousand

_LAST_INSTANT = 253_402_300_800  # seconds; the end of the year 9999


class TokenRefused(Exception):
    """The token does not say who calls.

    Attributes:
        reason: a stable code in snake_case.
        message: for the caller; holds nothing of the token.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Header:
    """What a token says about its signature; not to be believed before it was checked."""

    algorithm: str
    key_id: str | None


def looks_like_token(text: str) -> bool:
    """Whether it has a JWT's three parts; API keys have no dots."""
    return text.count(".") == 2  # noqa: PLR2004


def read_header(token: str, issuer: str) -> Header:
    """What is needed to find the key. Looks at the issuer too, so that a stranger's token costs no look-up.

    Raises:
        TokenRefused: it is no token, its algorithm is not accepted, or it is another issuer's.
    """
    if len(token) > _LONGEST:
        raise TokenRefused("too_long", "The token is too long")
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (PyJWTError, RecursionError):  # the second: JSON nested more deeply than anybody means it
        raise TokenRefused("malformed", "The token is not a readable JWT") from None
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenRefused("wrong_algorithm", "The token is not signed with an accepted algorithm")
    if claims.get("iss") != issuer:
        raise TokenRefused("wrong_issuer", "The token comes from another issuer")
    return Header(algorithm, header.get("kid"))


def check_token(
    token: str, header: Header, keys: KeySet, *, issuer: str, audience: str, now: datetime
) -> Mapping[str, Any]:
    """The claims of a good token.

    Args:
        now: real time.

    Raises:
        TokenRefused: says why.
    """
    key = keys.find(header.key_id, header.algorithm)
    if key is None:
        raise TokenRefused("unknown_key", "The token is signed with a key that the issuer does not publish")
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[header.algorithm],
            audience=audience,
            issuer=issuer,
            # Time is an input here: it is looked at below.
            options={
                "require": ["exp", "iat", "iss", "aud", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except InvalidSignatureError:
        raise TokenRefused("wrong_signature", "The token's signature is wrong") from None
    except InvalidAudienceError:
        raise TokenRefused("wrong_audience", "The token was issued for another audience") from None
    except InvalidIssuerError:
        raise TokenRefused("wrong_issuer", "The token comes from another issuer") from None
    except MissingRequiredClaimError as error:
        raise TokenRefused("claim_missing", f"The token has no claim {error.claim}") from None
    except PyJWTError:
        raise TokenRefused("malformed", "The token is not a readable JWT") from None
    _check_times(claims, now)
    return claims


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    if at >= _seconds(claims, "exp") + leeway:
        raise TokenRefused("expired", "The token has expired")
    if at < _seconds(claims, "iat") - leeway:
        raise TokenRefused("not_yet_valid", "The token was issued in the future")
    if "nbf" in claims and at < _seconds(claims, "nbf") - leeway:
        raise TokenRefused("not_yet_valid", "The token is not valid yet")


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims[name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < _LAST_INSTANT:
        raise TokenRefused("malformed", f"The token's claim {name} is no instant")
    return float(value)
