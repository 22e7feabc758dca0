"""Intake as the process that it is in production: on a database of its own, with keys and an issuer of tokens."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from punctual.local.migration import make_topics
from shared.clock import monotonic, real_now
from shared.http import hash_key
from shared.testing.databases import fresh_database
from tests.access.issuing import published, token_of

ROOT = Path(__file__).parents[2]
KEYS = {"app": "channel", "web": "channel", "staff": "staff"}

_READY_SECONDS = 240.0  # with ten times the work that a machine can do, a start took more than one minute
PATIENT_SECONDS = 60.0  # for one answer, on such a machine
_STOP_SECONDS = 30.0
_SHIFT = timedelta(hours=12)
"""How long a token is good: longer than any campaign."""


class RunningIntake:
    """Args:
    issuer: address of the issuer whose tokens it accepts.
    log: what the process writes.
    """

    def __init__(self, port: int, issuer: str, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._issuer = issuer
        self._log = log

    def key(self, name: str) -> str:
        """The key of a channel, or of the staff tool."""
        return f"key of {name}"

    def token(self, *roles: str) -> str:
        """What a person with these roles signs in to."""
        now = real_now()
        return token_of(*roles, iss=self._issuer, iat=now, exp=now + _SHIFT, teams=["claims_hk"])

    def last_words(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-4000:]


@contextmanager
def running_intake(admin_url: str, kafka_bootstrap: str, folder: Path) -> Iterator[RunningIntake]:
    """Start it, and end it again.

    Args:
        admin_url: of a Postgres server, as its administrator.
        folder: for its keys and its log.
    """
    make_topics(kafka_bootstrap, partitions=4)
    with asyncio.Runner() as runner, _issuer() as issuer:
        database = fresh_database(admin_url, ["intake"])
        urls = runner.run(database.__aenter__())
        try:
            with closing(socket.socket()) as probe:
                probe.bind(("127.0.0.1", 0))
                port = int(probe.getsockname()[1])
            keys = folder / "api-keys.json"
            hashed = [{"name": n, "role": role, "sha256": hash_key(f"key of {n}")} for n, role in KEYS.items()]
            keys.write_text(json.dumps({"keys": hashed}), encoding="utf-8")
            intake = RunningIntake(port, issuer, folder / "intake.log")
            environment = {
                "PUNCTUAL_KAFKA_BOOTSTRAP": kafka_bootstrap,
                "PUNCTUAL_API_KEYS_FILE": str(keys),
                "PUNCTUAL_OIDC_ISSUER": issuer,
                "PUNCTUAL_PUBLIC_URL": intake.url,
                "PUNCTUAL_INTAKE_DATABASE_URL": urls["intake"],
                "PUNCTUAL_INTAKE_HTTP_PORT": str(port),
                "PUNCTUAL_MASTER_KEYS": f"first:{'A' * 43}=",
                "PUNCTUAL_INTAKE_SIGNATURE_SECRET": "0123456789abcdef0123456789abcdef",
                "PUNCTUAL_INTAKE_RATE_PER_SECOND": "100000",  # else a fast machine meets nothing but 429
            }
            with _process(environment, intake, folder / "intake.log"):
                yield intake
        finally:
            runner.run(database.__aexit__(None, None, None))


@contextmanager
def _process(environment: dict[str, str], intake: RunningIntake, log: Path) -> Iterator[None]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("PUNCTUAL_")}
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.intake"],
            cwd=ROOT,
            env=others | environment | {"PYTHONPATH": str(ROOT)},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        try:
            _await_ready(process, intake)
            yield
            assert process.poll() is None, f"intake ended by itself:\n{intake.last_words()}"
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_ready(process: subprocess.Popen[bytes], intake: RunningIntake) -> None:
    until = monotonic() + _READY_SECONDS
    while monotonic() < until:
        assert process.poll() is None, f"intake did not start:\n{intake.last_words()}"
        try:
            if httpx.get(f"{intake.url}/readyz").is_success:
                return
        except httpx.TransportError:
            process.poll()
    raise AssertionError(f"intake did not become ready:\n{intake.last_words()}")


class _Published(BaseHTTPRequestHandler):
    """Answers for an issuer whose keys are those of `tests.access.issuing`."""

    def __init__(self, documents: dict[str, object], *arguments: object) -> None:
        self._documents = documents
        super().__init__(*arguments)  # type: ignore[arg-type]  # what the server passes on

    def do_GET(self) -> None:
        body = json.dumps(self._documents[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: two documents are read."""


@contextmanager
def _issuer() -> Iterator[str]:
    documents: dict[str, object] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Published, documents))
    url = f"http://127.0.0.1:{server.server_port}"
    documents["/.well-known/openid-configuration"] = {"issuer": url, "jwks_uri": f"{url}/keys"}
    documents["/keys"] = {"keys": [published("first")]}
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
