"""Where the relay is and how long it is waited for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Tls = Literal["off", "opportunistic", "starttls", "implicit"]


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """Attributes:
    envelope_timeout: seconds for everything before the body.
    reply_timeout: seconds for the reply to the body; RFC 5321 section 4.5.3.2.6 asks for ten minutes.
    mails_per_session: after which a connection is renewed.
    """

    host: str
    port: int
    hello_name: str
    tls: Tls = "opportunistic"
    ca_file: Path | None = None
    username: str | None = None
    password: str | None = None
    envelope_timeout: float = 20.0
    reply_timeout: float = 600.0
    mails_per_session: int = 100
