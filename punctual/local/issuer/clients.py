"""The programs that may ask for tokens. All are public: none can keep a secret, so each proves itself by PKCE."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

CLIENTS: Mapping[str, frozenset[str]] = {"punctual-cli": frozenset({"/callback"})}
"""Client -> paths it may be answered at, on this machine, at whatever port it listens (RFC 8252)."""

_LOOPBACK = frozenset({"127.0.0.1", "::1"})  # no name: a name server could say where that is
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def may_be_answered_at(client_id: str, address: str) -> bool:
    """Whether a code for the client may be sent to this address."""
    try:
        parts = urlsplit(address)
        has_port = parts.port is not None
    except ValueError:
        return False
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password or "\\" in address)
    is_here = parts.scheme == "http" and parts.hostname in _LOOPBACK and has_port
    return is_plain and is_here and parts.path in CLIENTS.get(client_id, frozenset())


def is_challenge(text: str) -> bool:
    """Whether it can be a challenge of the method S256, the only one that is taken."""
    return _CHALLENGE.fullmatch(text) is not None


def proves(verifier: str, challenge: str) -> bool:
    """Whether the verifier is the one that the challenge was made of."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return secrets.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)
