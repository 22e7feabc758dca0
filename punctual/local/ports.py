"""Choosing TCP ports on the loopback interface."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Literal

HOST = "127.0.0.1"

PREFERRED: Mapping[str, int] = {
    "kafka": 9392,
    "kafka_controller": 9393,
    "postgres": 5532,
    "intake": 8801,
    "sla_timer": 8802,
    "notifier": 8803,
    "quality_audit": 8804,
    "mail_smtp": 8825,
    "mail_web": 8826,
    "issuer": 8827,
}
"""Beside the usual ports of Kafka and Postgres, so that a server already there is left alone."""

_FIRST_SPARE = 8840
_FIRST_ANY, _LAST_ANY = 20_000, 32_000


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            # Binding alone succeeds beside a listener that set SO_REUSEADDR on some systems; listening does not.
            probe.listen(1)
        except OSError:
            return False
        return True


def any_free() -> int:
    """A port nobody listens on, below those that systems give to outgoing connections.

    A client that keeps calling a server that is down could otherwise be given that server's own port, and it could not
    come back.
    """
    while True:
        port = _FIRST_ANY + secrets.randbelow(_LAST_ANY - _FIRST_ANY)
        if is_free(port):
            return port


def choose_ports(
    names: Iterable[str],
    mode: Literal["auto", "preferred"],
    report: Callable[[str], None],
    *,
    last: Mapping[str, int] | None = None,
    is_free: Callable[[int], bool] = is_free,
    any_free: Callable[[], int] = any_free,
) -> dict[str, int]:
    """A port for every name.

    Args:
        mode: ``preferred`` takes the usual ports and says so where it has to take another; ``auto`` takes whatever is
            free, so that many systems can run side by side.
        last: what the last run had, taken before any new one: addresses were given away, and Kafka knows consumers by
            theirs and makes strangers wait until it has forgotten them.
    """
    chosen: dict[str, int] = {}
    reserved = {*PREFERRED.values(), *(last or {}).values()}
    for name in names:
        usual = PREFERRED.get(name) if mode == "preferred" else None
        spare = range(_FIRST_SPARE, _FIRST_ANY) if usual is not None else ()
        candidates = chain(
            (port for port in (usual, (last or {}).get(name)) if port is not None),
            (port for port in spare if port not in reserved),
        )
        fitting = (port for port in candidates if port not in chosen.values() and is_free(port))
        chosen[name] = next(fitting, 0) or _another(any_free, chosen)
        if usual not in (None, chosen[name]):
            report(f"port {usual} is taken, {name} uses {chosen[name]}")
    return chosen


def _another(any_free: Callable[[], int], chosen: Mapping[str, int]) -> int:
    while (port := any_free()) in chosen.values():
        continue
    return port
