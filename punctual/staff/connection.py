"""A service's HTTP API, for a person at the command line: at the address and in the name that are meant."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from punctual.safe_address import require_safe, require_sendable
from punctual.staff.identity import find_identity
from shared.errors import ConfigurationError, PunctualError
from shared.ids import new_id

_TIMEOUT = httpx.Timeout(30.0)
_READING = httpx.Timeout(30.0, read=300.0)  # a line of progress comes every second or so; a busy machine may be slower


class Refused(PunctualError):
    """The service said no; the message is its own."""


class StaffConnection:
    """Calls of one service. Errors are one readable line."""

    def __init__(self, http: httpx.Client) -> None:
        """Args:
        http: its base address and key are those of the service.
        """
        self._http = http

    def get(self, path: str, **query: Any) -> Any:
        """The answer's body."""
        return _body(self._call("GET", path, params=_given(query)))

    def pages(self, path: str, most: int, **query: Any) -> list[Any]:
        """The entries of a list, page after page, until there are ``most`` or no more."""
        found: list[Any] = []
        answer = self._call("GET", path, params=_given({**query, "limit": min(most, 200)}))
        while True:
            found += _body(answer)
            following = answer.links.get("next", {}).get("url")
            if following is None or len(found) >= most:
                return found[:most]
            answer = self._call("GET", following)

    def text(self, path: str, **query: Any) -> str:
        """The answer's body as it is."""
        return self._call("GET", path, params=_given(query)).text

    def put(self, path: str, text: str, **query: Any) -> Any:
        """Send a text of YAML."""
        return self._send_text("PUT", path, text, query)

    def post_text(self, path: str, text: str) -> Any:
        """Send a text of YAML."""
        return self._send_text("POST", path, text, {})

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return _body(self._call("POST", path, json=body))

    def write(self, path: str, body: Mapping[str, Any]) -> Any:
        """Like ``post``, where the service wants an idempotency key; each call is a new one."""
        return _body(self._call("POST", path, json=body, headers={"Idempotency-Key": str(new_id())}))

    def lines(self, path: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The objects of a streamed answer, as they come.

        Raises:
            Refused: the service could not do it, or its last line says so.
        """
        with _readable(), self._http.stream("POST", path, json=body, timeout=_READING) as answer:
            if not answer.is_success:
                answer.read()
                raise _refusal(answer)
            for line in answer.iter_lines():
                said = _line(line, answer)
                if said["kind"] == "failed":
                    raise Refused(said["detail"])
                yield said

    def _send_text(self, method: str, path: str, text: str, query: Mapping[str, Any]) -> Any:
        headers = {"Content-Type": "text/yaml"}
        return _body(self._call(method, path, params=_given(query), content=text.encode(), headers=headers))

    def _call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        with _readable():
            answer = self._http.request(method, path, **arguments)
        if not answer.is_success:
            raise _refusal(answer)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise _foreign(answer)
        return answer


@contextmanager
def connected(url: str | None, key: str | None, service: str = "sla_timer") -> Iterator[StaffConnection]:
    """A connection to the service that is meant.

    Args:
        url, key: what the caller says; else the environment says it, the sign-in, or the running local system.

    Raises:
        ConfigurationError: nobody says it, it cannot be used, or the line would be open.
    """
    identity = find_identity(url, key, name=service)
    require_safe(identity.address)
    require_sendable(identity.secret, identity.source)
    headers = {"Authorization": f"Bearer {identity.secret}"}
    with httpx.Client(
        base_url=identity.address, headers=headers, timeout=_TIMEOUT, trust_env=False, verify=_authorities()
    ) as http:
        yield StaffConnection(http)


def _authorities() -> ssl.SSLContext | bool:
    """Who may vouch for a service: those that are publicly known, or the house's own where the environment names it."""
    file = os.environ.get("SSL_CERT_FILE")
    try:
        return ssl.create_default_context(cafile=file) if file else True
    except OSError as error:
        raise ConfigurationError(f"SSL_CERT_FILE cannot be used: {error}") from None


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except httpx.RequestError as error:
        raise PunctualError(f"the service does not answer: {type(error).__name__}: {error}") from None
    except httpx.InvalidURL as error:
        raise PunctualError(f"the service cannot be asked that: {error}") from None


def _body(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise _foreign(answer) from None


def _line(text: str, answer: httpx.Response) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except ValueError:
        raise _foreign(answer) from None
    if not isinstance(said, dict) or "kind" not in said:
        raise _foreign(answer)
    return said


def _foreign(answer: httpx.Response) -> PunctualError:
    """Something else stands at the address: a proxy, a page to sign in at, another program."""
    kind = answer.headers.get("Content-Type", "nothing that it names")
    return PunctualError(f"what answers at {answer.url} is no service of ours: it sends {kind}")


def _refusal(answer: httpx.Response) -> Refused:
    try:
        body = answer.json()
        errors = [f"{error['field']}: {error['message']}" for error in body.get("errors", ())]
        title = ". ".join(part.rstrip(".") for part in (body["title"], body.get("detail")) if part)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Refused(f"answered with {answer.status_code}: {answer.text[:200]}")
    return Refused("\n".join([title, *(f"  {error}" for error in errors)]))


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}
