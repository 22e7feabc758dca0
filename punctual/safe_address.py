"""Keys and tokens go over a line that nobody else can read."""

from __future__ import annotations

import os

from shared.errors import ConfigurationError
from shared.settings import is_safe_address

PLAIN_VARIABLE = "PUNCTUAL_PLAIN_HTTP"


def require_safe(address: str) -> None:
    """HTTPS, or this machine, or whoever set the variable knows that the line is theirs.

    Raises:
        ConfigurationError: it is neither; nothing was sent.
    """
    if not is_safe_address(address) and os.environ.get(PLAIN_VARIABLE) != "allowed":
        raise ConfigurationError(
            f"a key would go to {address} in plain text: use https://, or set {PLAIN_VARIABLE}=allowed where the line "
            "is yours alone"
        )
