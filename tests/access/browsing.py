"""The embedded issuer as a process, and a person with a browser that has no script."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import closing
from html import unescape
from pathlib import Path

import httpx

from punctual.local.credentials import ACCOUNTS, TEAMS
from punctual.local.issuer.accounts import add_missing
from shared.clock import monotonic

PASSWORDS = {name: f"the password of {name}" for name in ACCOUNTS}


class RunningIssuer:
    """Args:
    store: its folder.
    """

    def __init__(self, store: Path) -> None:
        self.store = store
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        add_missing(store / "accounts.json", PASSWORDS, ACCOUNTS, TEAMS)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *more: str) -> list[str]:
        base = [sys.executable, "-m", "punctual.local.issuer", "--store", str(self.store)]
        return [*base, *(more or ("--http-port", str(self.port)))]

    def start(self) -> None:
        self._process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = monotonic() + 30
        while monotonic() < until:
            assert self._process.poll() is None, "the issuer ended"
            try:
                if httpx.get(f"{self.url}/readyz").is_success:
                    return
            except httpx.TransportError:
                continue
        raise AssertionError("the issuer did not become ready")

    def end(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=20)


class Person:
    """Fills in forms; keeps cookies; follows nothing by itself."""

    def __init__(self) -> None:
        self._cookies = httpx.Cookies()

    def open(self, url: str) -> httpx.Response:
        return self._keep(httpx.get(url, cookies=self._cookies))

    def send(self, url: str | httpx.URL, form: dict[str, str], origin: str) -> httpx.Response:
        return self._keep(httpx.post(url, data=form, cookies=self._cookies, headers={"Origin": origin}))

    def _keep(self, answer: httpx.Response) -> httpx.Response:
        self._cookies.update(answer.cookies)
        return answer

    def sign_in(self, page: httpx.Response, name: str, password: str) -> httpx.Response:
        """Send the page's form."""
        action = re.search(r'action="([^"]+)"', page.text)
        ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert action is not None, page.text
        assert ticket is not None, page.text
        form = {"ticket": unescape(ticket[1]), "name": name, "password": password}
        return self.send(page.url.join(action[1]), form, f"{page.url.scheme}://{page.url.netloc.decode()}")
