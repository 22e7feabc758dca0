"""Keys and tokens go over a line that nobody else can read."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import httpx

from shared.errors import ConfigurationError
from shared.settings import is_safe_address

PLAIN_VARIABLE = "PUNCTUAL_PLAIN_HTTP"


def require_safe(address: str) -> None:
    """HTTPS, or this machine, or whoever set the variable knows that the line is theirs.

    Raises:
        ConfigurationError: it is neither, or no address at all; nothing was sent.
    """
    try:
        httpx.URL(address)
        (urlsplit(address).hostname or "").encode("idna")  # what the resolver does with it
    except (httpx.InvalidURL, ValueError) as error:
        raise ConfigurationError(f"{address} is no address: {error}") from None
    if not is_safe_address(address) and os.environ.get(PLAIN_VARIABLE) != "allowed":
        raise ConfigurationError(
            f"a key would go to {address} in plain text: use https://, or set {PLAIN_VARIABLE}=allowed where the line "
            "is yours alone"
        )


def require_sendable(secret: str, source: str) -> None:
    """A header carries ASCII only, and keys and tokens are nothing else.

    Args:
        source: where it comes from, in words; the secret itself is told to nobody.

    Raises:
        ConfigurationError: it is something else.
    """
    if not (secret.isascii() and secret.isprintable()):
        raise ConfigurationError(f"{source} cannot be one: it has characters that are not printable ASCII")
