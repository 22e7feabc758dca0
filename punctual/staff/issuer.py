"""What a program on this machine needs of an issuer: authorization code with PKCE, renewal, withdrawal."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from punctual.staff.sign_ins import SignIn
from shared.errors import ConfigurationError, PunctualError
from shared.ids import new_secret
from shared.settings import is_safe_address

_TIMEOUT = 10.0  # seconds
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class SignInEnded(PunctualError):
    """The issuer renews the sign-in no longer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A sign-in under way.

    Attributes:
        url: where the person signs in.
        verifier: proves to the issuer that the code is redeemed by who asked.
        has_issuer_in_answer: the answer must name the issuer (RFC 9207).
    """

    url: str
    redirect_uri: str
    state: str
    verifier: str
    has_issuer_in_answer: bool


class Issuer:
    """Raises ConfigurationError: the address is none to be trusted, or no issuer answers there."""

    def __init__(self, url: str, client_id: str) -> None:
        self.url = url
        self.client_id = client_id
        if not is_safe_address(url):
            raise ConfigurationError(f"{url}: an issuer's address begins with https://")
        answer = self._request("GET", f"{url.rstrip('/')}/.well-known/openid-configuration")
        self._endpoints = _object(answer)
        if answer.status_code != httpx.codes.OK or self._endpoints.get("issuer") != url:
            raise ConfigurationError(f"{url} is no issuer that calls itself so")

    def ask(self, redirect_uri: str, scope: str) -> Asked:
        """Begin a sign-in."""
        state, verifier = new_secret(), new_secret()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": scope,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        url = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"
        names_itself = self._endpoints.get("authorization_response_iss_parameter_supported") is True
        return Asked(url, redirect_uri, state, verifier, names_itself)

    def redeem(self, code: str, asked: Asked, now: datetime) -> SignIn:
        """Raises PunctualError: the issuer does not take the code."""
        answer = self._post(
            "token_endpoint",
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": asked.redirect_uri,
                "code_verifier": asked.verifier,
            },
        )
        if answer.status_code != httpx.codes.OK:
            raise PunctualError(f"the issuer did not take the code: {_complaint(answer)}")
        return self._sign_in(_object(answer), None, now)

    def renew(self, refresh_token: str, now: datetime) -> SignIn:
        """Raises SignInEnded."""
        answer = self._post("token_endpoint", {"grant_type": "refresh_token", "refresh_token": refresh_token})
        if answer.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED):
            raise SignInEnded(_complaint(answer))
        if answer.status_code != httpx.codes.OK:
            raise PunctualError(f"the issuer did not renew the sign-in: {_complaint(answer)}")
        return self._sign_in(_object(answer), refresh_token, now)

    def withdraw(self, refresh_token: str) -> bool:
        """Make a refresh token useless; whether the issuer can do that and did."""
        if not isinstance(self._endpoints.get("revocation_endpoint"), str):
            return False
        return self._post("revocation_endpoint", {"token": refresh_token}).is_success

    def _sign_in(self, tokens: Mapping[str, Any], refresh_token: str | None, now: datetime) -> SignIn:
        access, seconds = tokens.get("access_token"), tokens.get("expires_in", 300)
        if not isinstance(access, str) or str(tokens.get("token_type", "")).lower() != "bearer":
            raise PunctualError("the issuer gave no access token")
        following = tokens.get("refresh_token")
        return SignIn(
            issuer=self.url,
            client_id=self.client_id,
            access_token=access,
            refresh_token=following if isinstance(following, str) else refresh_token,
            expires_at=now + timedelta(seconds=int(seconds)),
        )

    def _endpoint(self, name: str) -> str:
        address = self._endpoints.get(name)
        if not isinstance(address, str) or not is_safe_address(address):
            raise ConfigurationError(f"{self.url} has no usable {name}")
        return address

    def _post(self, endpoint: str, form: Mapping[str, str]) -> httpx.Response:
        return self._request("POST", self._endpoint(endpoint), {**form, "client_id": self.client_id})

    def _request(self, method: str, url: str, form: Mapping[str, str] | None = None) -> httpx.Response:
        is_out = urlsplit(url).hostname not in _LOOPBACK  # a proxy leads out of the house
        try:
            return httpx.request(method, url, data=form, timeout=_TIMEOUT, trust_env=is_out)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PunctualError(f"the issuer {self.url} does not answer: {type(error).__name__}: {error}") from None


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _complaint(answer: httpx.Response) -> str:
    found = _object(answer)
    return str(found.get("error_description") or found.get("error") or f"it answers {answer.status_code}")[:300]
