"""Has a service describe its HTTP API: its own program does it, as a child process, without a server."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from shared.errors import PunctualError

DESCRIBED = ("intake",)
"""Services whose document is committed."""

_SECONDS = 120


def describe_api(service: str) -> dict[str, Any]:
    """The OpenAPI document.

    Raises:
        PunctualError: the program does not start.
    """
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}", "--openapi"],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode != 0:
        raise PunctualError(f"{service} does not describe its API: {done.stderr.strip().splitlines()[-1:]}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document
