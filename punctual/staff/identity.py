"""As whom the staff commands call, and where: options, the environment, the sign-in, the local system."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from typing import Any

from punctual.local.folders import Folders, read_json, readable_errors
from punctual.local.settings import LocalSettings
from punctual.staff.issuer import Issuer, SignInEnded
from punctual.staff.sign_ins import SignIn, SignInFile
from shared.clock import real_now
from shared.errors import ConfigurationError, PunctualError
from shared.settings import load_settings

URL_VARIABLES = {
    "sla_timer": "PUNCTUAL_SLA_TIMER_URL",
    "intake": "PUNCTUAL_INTAKE_URL",
    "notifier": "PUNCTUAL_NOTIFIER_URL",
}
DEFAULT = "sla_timer"
"""The service that `punctual login` signs in at when nobody says another."""

KEY_VARIABLE = "PUNCTUAL_STAFF_KEY"


@dataclass(frozen=True, slots=True)
class Identity:
    """Attributes:
    secret: a key or an access token.
    source: where it comes from, in words.
    sign_in: None where it is a key.
    """

    address: str
    secret: str
    source: str
    sign_in: SignIn | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """Attributes:
    local_issuer: None unless the service is the running local system's.
    signed_in_at: the addresses whose sign-in is good for it; the services of a local system share one.
    """

    address: str
    is_local: bool
    local_issuer: str | None
    signed_in_at: tuple[str, ...]


def find_service(url: str | None, name: str = DEFAULT) -> Service:
    """The service that is meant.

    Raises:
        ConfigurationError: nobody says it.
    """
    run = read_json(_folders().run_file) or {}
    addresses: dict[str, str] = run.get("addresses", {}) if run.get("state") == "ready" else {}
    local = addresses.get(name)
    variable = URL_VARIABLES[name]
    address = url or os.environ.get(variable) or local
    if not address:
        raise ConfigurationError(f"no local system runs; name the service's address with --url or {variable}")
    is_local = address.rstrip("/") == local
    signed_in_at = (address, addresses[DEFAULT]) if is_local and name != DEFAULT else (address,)
    return Service(address, is_local, addresses.get("issuer") if is_local else None, signed_in_at)


def find_identity(url: str | None, key: str | None, file: SignInFile | None = None, name: str = DEFAULT) -> Identity:
    """As whom to call: the key that is given, else the sign-in for the address, else the local system's staff key.

    Raises:
        ConfigurationError: nobody says it.
        PunctualError: the sign-in has ended, or the issuer cannot renew it now.
    """
    service = find_service(url, name)
    if key:
        return Identity(service.address, key, "the key of --key")
    if from_environment := os.environ.get(KEY_VARIABLE):
        return Identity(service.address, from_environment, f"the key of {KEY_VARIABLE}")
    file = file or SignInFile.of_the_user()
    sign_in = next((found for at in service.signed_in_at if (found := good_sign_in(at, file)) is not None), None)
    if sign_in is not None:
        return Identity(service.address, sign_in.access_token, "a sign-in", sign_in)
    local_key = _local_key() if service.is_local else None  # the key of the local system goes nowhere else
    if not local_key:
        raise ConfigurationError(
            f"a staff key for {service.address} is needed: {KEY_VARIABLE}, or --key; or sign in with `punctual login`"
        )
    return Identity(service.address, local_key, "the local system's staff key")


def good_sign_in(address: str, file: SignInFile) -> SignIn | None:
    """The sign-in for an address, renewed where its access token is about to expire; None where there is none."""
    sign_in = file.find(address)
    if sign_in is None or sign_in.is_good_at(real_now()):
        return sign_in
    with file.alone():
        sign_in = file.find(address)  # another command may have renewed it meanwhile
        if sign_in is None or sign_in.is_good_at(real_now()):
            return sign_in
        ended = f"the sign-in for {address} has ended; `punctual login` signs in again, `punctual logout` forgets it"
        if sign_in.refresh_token is None:
            raise PunctualError(ended)
        try:
            renewed = Issuer(sign_in.issuer, sign_in.client_id).renew(sign_in.refresh_token, real_now())
        except SignInEnded:
            raise PunctualError(ended) from None
        file.put(address, renewed)
        return renewed


def claims_in(token: str) -> dict[str, Any]:
    """What an access token says, for showing only: nothing of it is checked here. Empty where it cannot be read."""
    try:
        part = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _folders() -> Folders:
    settings = load_settings(LocalSettings)
    return Folders(settings.home, settings.parts)


def _local_key() -> str | None:
    with readable_errors():
        kept = read_json(_folders().secrets_file) or {}
    key: str | None = kept.get("api_keys", {}).get("staff")
    return key
