"""One warm start, in a process of its own: starts the system of a home, has one request accepted, stops it.

`python -m bench.warm_start HOME` prints, as soon as the request is accepted, the seconds until all services were ready;
then the version of Postgres.
"""

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from bench.load.requests import submission
from bench.rig import postgres_version, say, use_the_checkouts_parts
from punctual.local.system import LocalSystem
from shared.clock import monotonic
from shared.ids import new_id

_CREATED = 201


def main(arguments: list[str]) -> None:
    (home,) = arguments
    use_the_checkouts_parts()
    began_at = monotonic()
    system = LocalSystem(Path(home), ports="auto", report=say)
    system.start()
    try:
        ready_seconds = monotonic() - began_at
        _post(system)
        print(ready_seconds, flush=True)
        print(postgres_version(system), flush=True)
    finally:
        system.stop()


def _post(system: LocalSystem) -> None:
    where = urlsplit(system.addresses["intake"])
    assert where.hostname is not None
    connection = HTTPConnection(where.hostname, where.port, timeout=30)
    headers = {
        "Authorization": f"Bearer {system.keys['app']}",
        "Idempotency-Key": str(new_id()),
        "Content-Type": "application/json",
    }
    connection.request("POST", "/v1/requests", json.dumps(submission(0)), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status != _CREATED:
        raise RuntimeError(f"intake answered {answer.status}: {text}")


if __name__ == "__main__":
    main(sys.argv[1:])
