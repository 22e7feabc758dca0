"""Behind a company's proxy pip is told about its certificates; jgo, which uses requests, is not."""

from __future__ import annotations

import os
import subprocess
import sys

_READ_BY_REQUESTS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_READ_BY_PIP = ("PIP_CERT", "SSL_CERT_FILE")


def use_the_certificates_of_pip() -> None:
    """Point requests to the bundle that pip uses, unless it has one of its own."""
    if any(os.environ.get(name) for name in _READ_BY_REQUESTS):
        return
    bundle = next((os.environ[name] for name in _READ_BY_PIP if os.environ.get(name)), None) or _pip_configuration()
    if bundle and os.path.exists(bundle):  # noqa: PTH110  # a folder or a file, as requests takes both
        os.environ["REQUESTS_CA_BUNDLE"] = bundle


def _pip_configuration() -> str | None:
    command = [sys.executable, "-m", "pip", "config", "get", "global.cert"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
