"""The names that the system's own parts sign with. Histories are judged by them, so nobody who calls may have one."""

from __future__ import annotations

OWN_NAMES = frozenset({"automation", "customer", "retention", "sla_timer"})
"""Of what rules did, what came by a customer's link, what was erased when its time had come, and a mode that ended by
itself."""


def require_other_name(name: str) -> str:
    """
    Raises:
        ValueError: the system itself signs so.
    """
    if name in OWN_NAMES:
        raise ValueError(f"{name} is what the system itself signs with; {', '.join(sorted(OWN_NAMES))} are taken")
    return name
