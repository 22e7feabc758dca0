"""Who sent a header: first the API keys, then tokens of the issuer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from shared.clock import real_now
from shared.http.access.claims import ClaimNames, read_principal
from shared.http.access.issuer import IssuerKeys, IssuerUnavailable
from shared.http.access.principal import KeyTerms, Principal, StaffRole
from shared.http.access.tokens import TokenRefused, check_token, looks_like_token, read_header
from shared.http.keys import Caller, KeyRing
from shared.http.problems import Problem

_CHALLENGE = 'Bearer realm="punctual"'

FindKey = Callable[[str], Awaitable[Principal | None]]
"""Whose API key a text is, where keys are kept elsewhere than in the file."""


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer whose tokens are accepted.

    Attributes:
        url: as its tokens say it.
        audience: what its tokens for us say.
    """

    url: str
    audience: str
    names: ClaimNames
    keys: IssuerKeys


def principal_of_key(caller: Caller) -> Principal:
    """A ``staff`` key is a service that may do everything; a ``channel`` key is that channel."""
    terms = KeyTerms(f"file:{caller.name}")
    if caller.role == "channel":
        return Principal(caller.name, caller.name, "channel", terms=terms)
    return Principal(caller.name, caller.name, "service", frozenset({StaffRole.ADMINISTRATOR}), terms=terms)


class Identification:
    """Args:
    issuer: None where only API keys are accepted.
    now: real time.
    find_key: asked about what is no key of the file.
    retry_after_seconds: what is told while the issuer's keys cannot be had.
    """

    def __init__(
        self,
        keys: KeyRing,
        issuer: TrustedIssuer | None = None,
        now: Callable[[], datetime] = real_now,
        find_key: FindKey | None = None,
        retry_after_seconds: int = 5,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._now = now
        self._find_key = find_key
        self._retry_after_seconds = retry_after_seconds

    async def identify(self, authorization: str | None) -> Principal:
        """Who sent this ``Authorization`` header.

        Raises:
            Problem: 401, nobody that is known; 503, the issuer's keys are needed and cannot be had.
        """
        scheme, _, secret = (authorization or "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret:
            raise self._unknown()
        caller = self._keys.find(secret)
        if caller is not None:
            return principal_of_key(caller)
        if self._find_key is not None and (found := await self._find_key(secret)) is not None:
            return found
        if self._issuer is None or not looks_like_token(secret):
            raise self._unknown()
        try:
            return await self._read_token(self._issuer, secret)
        except TokenRefused as refused:
            challenge = f'{_CHALLENGE}, error="invalid_token", error_description="{refused.message}"'
            raise Problem(
                401,
                f"token_{refused.reason}",
                refused.message,
                "Sign in again.",
                headers={"WWW-Authenticate": challenge},
            ) from None
        except IssuerUnavailable:
            raise Problem(
                503,
                "issuer_unavailable",
                "The token cannot be checked now",
                "The issuer of tokens cannot be reached. API keys go on working.",
                headers={"Retry-After": str(self._retry_after_seconds)},
            ) from None

    async def _read_token(self, issuer: TrustedIssuer, token: str) -> Principal:
        header = read_header(token, issuer.url)
        keys = await issuer.keys.keys(header.key_id)
        claims = check_token(token, header, keys, issuer=issuer.url, audience=issuer.audience, now=self._now())
        return read_principal(claims, issuer.names)

    def _unknown(self) -> Problem:
        accepted = "An API key" if self._issuer is None else "An access token or an API key"
        return Problem(
            401,
            "credentials_required",
            f"{accepted} is required",
            "Send it as 'Authorization: Bearer <it>'.",
            headers={"WWW-Authenticate": _CHALLENGE},
        )
