"""Which e-mail addresses the house sends to; intake refuses all others at the door."""

from __future__ import annotations

import re

LONGEST_ADDRESS = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""

_LONGEST_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # RFC 1035 section 2.3.4: at most 63
_LOCAL_PART = rf"{_ATOM}(?:\.{_ATOM})*"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_ADDRESS = re.compile(rf"(?P<local>{_LOCAL_PART})@{_DOMAIN}")

ADDRESS_PATTERN = rf"^(?=[^@]{{1,{_LONGEST_LOCAL_PART}}}@){_LOCAL_PART}@{_DOMAIN}$"
"""The same for descriptions, but for the length of all."""


def is_deliverable(address: str) -> bool:
    """Whether ``address`` is a plain ASCII mailbox. Control characters, spaces, quotes and comments never are."""
    if len(address) > LONGEST_ADDRESS:
        return False
    match = _ADDRESS.fullmatch(address)
    return match is not None and len(match["local"]) <= _LONGEST_LOCAL_PART
