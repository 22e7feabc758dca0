"""The mail catcher as a process of its own: SMTP in, pages and JSON out, killed and started again."""

from __future__ import annotations

import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from shared.clock import monotonic


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Catcher:
    def __init__(self, store: Path) -> None:
        self._store = store
        self.smtp_port, self.http_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def start(self) -> None:
        self._process = self.spawn()
        until = monotonic() + 30
        while monotonic() < until:
            assert self._process.poll() is None, "the mail catcher ended"
            try:
                if httpx.get(f"{self.url}/readyz").is_success:
                    return
            except httpx.TransportError:
                continue
        raise AssertionError("the mail catcher did not become ready")

    def spawn(self) -> subprocess.Popen[bytes]:
        ports = ["--smtp-port", str(self.smtp_port), "--http-port", str(self.http_port)]
        command = [sys.executable, "-m", "punctual.local.mailcatcher", *ports, "--store", str(self._store)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.communicate(timeout=20)
        return self._process.returncode

    def say(self, junk: bytes) -> bytes:
        """Send raw bytes to the SMTP port and half-close; what it answered."""
        with closing(socket.create_connection(("127.0.0.1", self.smtp_port), timeout=10)) as connection:
            connection.sendall(junk)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while piece := connection.recv(4096):
                    answer += piece
            except ConnectionResetError:
                pass
            return answer

    def send(self, number: int) -> None:
        message = EmailMessage()
        message["Subject"] = f"您的理賠申請已收到 {number}"
        message["From"] = "noreply@insurer.example"
        message["To"] = f"陳大文 <c{number}@customer.example>"
        message["Message-ID"] = f"<{number}@test>"
        message.set_content("內文 http://127.0.0.1/t/abc")
        message.add_alternative("<p>內文</p><script>1</script>", subtype="html")
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as smtp:
            smtp.send_message(message)


@contextmanager
def running(store: Path) -> Iterator[Catcher]:
    catcher = Catcher(store)
    catcher.start()
    yield catcher
    assert catcher.end(signal.SIGTERM) == 0


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[Catcher]:
    with running(tmp_path / "mail") as catcher:
        yield catcher


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catcher]:
    """One that has mails of other tests, for those that are not about its first ones: each start takes a second."""
    with running(tmp_path_factory.mktemp("standing") / "mail") as catcher:
        yield catcher


def test_a_mail_is_shown_in_the_list_on_its_page_and_as_json(catcher: Catcher) -> None:
    catcher.send(1)
    assert "您的理賠申請已收到 1" in httpx.get(catcher.url).text
    page = httpx.get(f"{catcher.url}/messages/1")
    assert "內文" in page.text
    assert "<script>" not in page.text
    html = httpx.get(f"{catcher.url}/messages/1/html")
    assert html.headers["content-security-policy"].startswith("sandbox allow-popups")
    (mail,) = httpx.get(f"{catcher.url}/api/messages").json()
    assert (mail["to"], mail["message_id"]) == (["c1@customer.example"], "<1@test>")
    assert mail["text"].strip() == "內文 http://127.0.0.1/t/abc"
    assert httpx.get(f"{catcher.url}/api/messages/1").json()["html"].startswith("<p>內文</p>")
    assert b"Subject: =?utf-8?" in httpx.get(f"{catcher.url}/messages/1/raw").content


def test_what_was_acknowledged_survives_a_kill(catcher: Catcher) -> None:
    for number in range(10):
        catcher.send(number)
    catcher.end(signal.SIGKILL)
    catcher.start()
    mails = httpx.get(f"{catcher.url}/api/messages").json()
    assert [mail["message_id"] for mail in mails] == [f"<{number}@test>" for number in reversed(range(10))]
    catcher.send(10)
    assert httpx.get(f"{catcher.url}/api/summary").json() == {"messages": 11, "newest_id": 11}


@pytest.mark.parametrize(
    "junk",
    [
        b"\x00\xff" * 5000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"EHLO x\r\nMAIL FROM:<a@b>\r\nDATA\r\n",
        b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<\xff>\r\n",
        b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhalf a mail",
        b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + b"a" * 5000 + b"\r\n.\r\n",
    ],
)
def test_nonsense_on_the_smtp_port_harms_nobody_and_is_not_kept(standing: Catcher, junk: bytes) -> None:
    before = httpx.get(f"{standing.url}/api/summary").json()["messages"]
    assert standing.say(junk).startswith(b"220 ")
    standing.send(1)
    assert httpx.get(f"{standing.url}/api/summary").json()["messages"] == before + 1


@pytest.mark.parametrize(
    ("path", "status"),
    [("/messages/99", 404), ("/messages/x", 422), ("/?before=0", 422), ("/api/messages?limit=-1", 422), ("/no", 404)],
)
def test_nonsense_in_a_url_gets_a_problem(standing: Catcher, path: str, status: int) -> None:
    answer = httpx.get(standing.url + path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_all_mails_can_be_forgotten(standing: Catcher) -> None:
    standing.send(1)
    assert httpx.delete(f"{standing.url}/api/messages").status_code == 204
    assert httpx.get(f"{standing.url}/api/messages").json() == []


def test_a_taken_port_is_told_in_one_line(standing: Catcher, tmp_path: Path) -> None:
    second = Catcher(tmp_path / "second")
    second.smtp_port = standing.smtp_port
    process = second.spawn()
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 78
    assert complaint.decode().startswith(f"punctual mail: port {standing.smtp_port} cannot be listened on")
    assert complaint.count(b"\n") == 1
