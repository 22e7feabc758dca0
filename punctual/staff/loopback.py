"""Takes the issuer's answer on a port of this machine (RFC 8252)."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from punctual.staff.issuer import Asked
from shared.clock import monotonic
from shared.errors import PunctualError

PATH = "/callback"

_CONNECTION_SECONDS = 5
_STEP_SECONDS = 0.5
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Connection": "close",
}


class Loopback:
    """Listens from its making on; ``with`` ends it."""

    def __init__(self) -> None:
        self._answer: dict[str, str] | None = None
        self._state = ""
        self._server = HTTPServer(("127.0.0.1", 0), self._handler())
        self._server.timeout = _STEP_SECONDS

    def __enter__(self) -> Loopback:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    @property
    def redirect_uri(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{PATH}"

    def wait(self, asked: Asked, issuer: str, seconds: float) -> str:
        """The code that the issuer sends.

        Raises:
            PunctualError: the issuer refuses, another one answers, or nobody does in time.
        """
        self._state = asked.state
        until = monotonic() + seconds
        while self._answer is None:
            if monotonic() > until:
                raise PunctualError("nobody signed in in time")
            self._server.handle_request()
        answer = self._answer
        if answer.get("iss", issuer) != issuer or (asked.has_issuer_in_answer and "iss" not in answer):
            raise PunctualError("another issuer answered")
        if "error" in answer:
            raise PunctualError(f"the issuer refused: {answer.get('error_description') or answer['error']}")
        if not answer.get("code"):
            raise PunctualError("the issuer answered without a code")
        return answer["code"]

    def _take(self, target: str) -> bool:
        """Whether the request is the answer that is waited for: others cannot know the state."""
        try:
            parts = urlsplit(target)
            query = {name: values[0] for name, values in parse_qs(parts.query).items() if len(values) == 1}
        except ValueError:
            return False
        if parts.path != PATH or not self._state or query.get("state") != self._state:
            return False
        self._answer = query
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            timeout = _CONNECTION_SECONDS

            def do_GET(self) -> None:
                is_ours = take(self.path)
                text = "You can close this window and go back." if is_ours else "This is not the answer waited for."
                self.send_response(200 if is_ours else 400)
                for name, value in _HEADERS.items():
                    self.send_header(name, value)
                self.end_headers()
                page = f'<!doctype html><html lang="en"><title>Punctual</title><main><h1>{text}</h1></main></html>'
                self.wfile.write(page.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Says nothing: the line would hold the code."""

        return Handler
