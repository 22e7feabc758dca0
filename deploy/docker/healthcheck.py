# ruff: noqa: INP001  a program, no module of a package
"""Health check of a container: asks /readyz of the one service that its environment configures."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping


def address(environment: Mapping[str, str]) -> str:
    """Where the service of this container answers.

    Raises:
        SystemExit: the environment names no port, or several.
    """
    ports = {
        value for name, value in environment.items() if name.startswith("PUNCTUAL_") and name.endswith("_HTTP_PORT")
    }
    if len(ports) != 1:
        raise SystemExit(f"expected one PUNCTUAL_<SERVICE>_HTTP_PORT, found {len(ports)}")
    return f"http://127.0.0.1:{ports.pop()}/readyz"


def main() -> int:
    """0 when the service can do its work; else 1 and the reason, which `docker inspect` shows."""
    try:
        with urllib.request.urlopen(address(os.environ), timeout=4) as answer:  # noqa: S310  always http
            answer.read()
    except urllib.error.HTTPError as error:
        sys.stdout.write(error.read().decode(errors="replace"))
        return 1
    except OSError as error:
        sys.stdout.write(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
