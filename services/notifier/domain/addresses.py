"""Which addresses may stand in an envelope and a header."""

from __future__ import annotations

import re

_LONGEST = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
_DOT_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_DOT_ATOM}@{_LABEL}(?:\.{_LABEL})*")


def is_deliverable(address: str) -> bool:
    """Whether ``address`` is a plain ASCII mailbox. Control characters, spaces, quotes and comments never are."""
    return len(address) <= _LONGEST and _ADDRESS.fullmatch(address) is not None
