"""Where the commands for people find the service, what they send it, and how its refusals read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from punctual.staff.connection import Refused, StaffConnection, connected
from punctual.staff.streams import read_through
from shared.errors import ConfigurationError, PunctualError

Answer = Callable[[httpx.Request], httpx.Response]


def connection(answer: Answer) -> StaffConnection:
    return StaffConnection(httpx.Client(base_url="http://sla_timer", transport=httpx.MockTransport(answer)))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """What the service was asked, wherever it was looked for."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[])

    class Client(httpx.Client):
        def __init__(self, *, base_url: str, headers: dict[str, str], **_: object) -> None:
            super().__init__(base_url=base_url, headers=headers, transport=httpx.MockTransport(answer))

    monkeypatch.setattr(httpx, "Client", Client)
    return seen


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose system runs."""
    monkeypatch.setenv("PUNCTUAL_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PUNCTUAL_SLA_TIMER_URL", raising=False)
    monkeypatch.delenv("PUNCTUAL_STAFF_KEY", raising=False)
    (tmp_path / "data").mkdir()
    run = {"state": "ready", "addresses": {"sla_timer": "http://127.0.0.1:8802"}}
    (tmp_path / "data/run.json").write_text(json.dumps(run))
    (tmp_path / "data/secrets.json").write_text(json.dumps({"api_keys": {"staff": "local key", "app": "other"}}))
    return tmp_path


def _ask(url: str | None = None, key: str | None = None) -> None:
    with connected(url, key) as found:
        found.get("/v1/modes")


@pytest.mark.usefixtures("home")
def test_the_local_system_is_found_with_its_staff_key(asked: list[httpx.Request]) -> None:
    _ask()
    assert asked[0].url == "http://127.0.0.1:8802/v1/modes"
    assert asked[0].headers["authorization"] == "Bearer local key"


@pytest.mark.usefixtures("home")
def test_options_come_before_the_environment(asked: list[httpx.Request], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUNCTUAL_SLA_TIMER_URL", "https://house:1")
    monkeypatch.setenv("PUNCTUAL_STAFF_KEY", "its key")
    _ask()
    _ask("https://other:2", "another key")
    assert [(str(request.url), request.headers["authorization"]) for request in asked] == [
        ("https://house:1/v1/modes", "Bearer its key"),
        ("https://other:2/v1/modes", "Bearer another key"),
    ]


@pytest.mark.usefixtures("home")
def test_no_key_goes_over_an_open_line_unless_somebody_says_that_it_is_theirs(
    asked: list[httpx.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="a key would go to http://house:1 in plain text: use https://"):
        _ask("http://house:1", "secret")
    assert asked == []
    monkeypatch.setenv("PUNCTUAL_PLAIN_HTTP", "allowed")
    _ask("http://house:1", "secret")
    assert len(asked) == 1


@pytest.mark.usefixtures("home")
def test_an_authority_that_cannot_be_read_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    for file in (tmp_path / "missing.pem", tmp_path / "no.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with pytest.raises(ConfigurationError, match="SSL_CERT_FILE cannot be used"):
            _ask("https://house:1", "secret")


@pytest.mark.usefixtures("home")
def test_the_key_of_the_local_system_is_sent_nowhere_else(asked: list[httpx.Request]) -> None:
    with pytest.raises(ConfigurationError, match="a staff key for http://elsewhere is needed: PUNCTUAL_STAFF_KEY"):
        _ask("http://elsewhere")
    assert asked == []


def test_where_nothing_runs_the_address_is_asked_for(home: Path) -> None:
    (home / "data/run.json").unlink()
    with pytest.raises(ConfigurationError, match="no local system runs; name the service's address with --url"):
        _ask()


def test_a_list_is_read_page_by_page_until_there_are_enough() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("after", 0))
        headers = {"Link": f'</v1/clocks?after={page + 1}>; rel="next"'} if page < 3 else {}
        return httpx.Response(200, json=[page * 2, page * 2 + 1], headers=headers)

    assert connection(answer).pages("/v1/clocks", 5) == [0, 1, 2, 3, 4]
    assert connection(answer).pages("/v1/clocks", 100) == list(range(8))


def test_a_refusal_reads_as_the_service_wrote_it() -> None:
    body = {
        "title": "The policies cannot be used",
        "detail": "What was in force stays.",
        "errors": [{"field": "policies[0].policy", "message": "policies.yml, line 3: is missing"}],
    }
    with pytest.raises(Refused) as refused:
        connection(lambda _: httpx.Response(422, json=body)).put("/v1/policies", "policies: []")
    assert str(refused.value).splitlines() == [
        "The policies cannot be used. What was in force stays",
        "  policies[0].policy: policies.yml, line 3: is missing",
    ]
    with pytest.raises(Refused, match="answered with 502: gone"):
        connection(lambda _: httpx.Response(502, text="gone")).get("/v1/modes")


def test_a_service_that_does_not_answer_is_one_line() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(PunctualError, match="the service does not answer: ConnectError"):
        connection(answer).get("/v1/modes")


def test_a_streamed_answer_is_read_to_its_result() -> None:
    said = [
        {"kind": "progress", "phase": "clocks", "done": 1, "total": 2},
        {"kind": "difference", "field": "mode"},
        {"kind": "result", "differences": 1},
    ]
    text = "".join(json.dumps(line) + "\n" for line in said)
    found: list[object] = []
    lines = connection(lambda _: httpx.Response(200, text=text)).lines("/v1/clocks:verify", {})
    assert read_through(lines, found.append) == said[2]
    assert found == [said[1]]


@pytest.mark.parametrize(
    ("text", "why"),
    [('{"kind": "failed", "detail": "Postgres is away"}\n', "Postgres is away"), ("", "in the middle of its answer")],
)
def test_a_streamed_answer_that_ends_without_a_result_is_a_refusal(text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        read_through(connection(lambda _: httpx.Response(200, text=text)).lines("/v1/clocks:verify", {}))


def test_a_streamed_answer_may_be_refused_at_once() -> None:
    lines = connection(lambda _: httpx.Response(403, json={"title": "A staff key is needed"})).lines("/v1/x", {})
    with pytest.raises(Refused, match="A staff key is needed"):
        next(lines)


PAGE = httpx.Response(200, html="<!doctype html><title>Sign in</title>")


@pytest.mark.parametrize(
    "ask",
    [
        lambda service: service.get("/v1/modes"),
        lambda service: service.pages("/v1/modes", 5),
        lambda service: service.text("/v1/processes/claim/diagram.mmd"),
        lambda service: service.put("/v1/policies", "x", reason="r"),
        lambda service: service.post("/v1/modes/storm:enter", {}),
        lambda service: service.write("/v1/keys", {}),
        lambda service: list(service.lines("/v1/verification", {})),
    ],
)
def test_a_page_where_a_service_was_expected_is_one_readable_line(ask: Callable[[StaffConnection], object]) -> None:
    with pytest.raises(PunctualError, match=r"^what answers at http://sla_timer/v1/.+ is no service of ours: it sends"):
        ask(connection(lambda _: PAGE))


@pytest.mark.parametrize("content", [b"", b"true but not JSON", b"\xff", b'{"title": '])
def test_an_answer_that_is_no_json_is_one_readable_line(content: bytes) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": "application/json"}, content=content)

    with pytest.raises(PunctualError, match="is no service of ours: it sends application/json"):
        connection(answer).get("/v1/modes")


@pytest.mark.parametrize("line", ["true", "[]", "{}"])
def test_a_line_that_says_nothing_of_itself_is_one_readable_line(line: str) -> None:
    with pytest.raises(PunctualError, match="is no service of ours"):
        list(connection(lambda _: httpx.Response(200, text=line)).lines("/v1/verification", {}))


@pytest.mark.parametrize("body", [[], "no", None])
def test_a_refusal_that_is_no_problem_of_ours_is_shown_as_it_is(body: object) -> None:
    with pytest.raises(Refused, match="answered with 502"):
        connection(lambda _: httpx.Response(502, json=body)).get("/v1/modes")


def test_a_path_that_cannot_be_asked_for_is_one_readable_line() -> None:
    with pytest.raises(PunctualError, match="cannot be asked that"):
        connection(lambda _: httpx.Response(200, json=[])).get("/v1/clocks/\x00")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("url", ["http://127.0.0.1:abc", "https://[::1", "https://a..b", "https://\u2603.example"])
def test_an_address_that_is_none_is_a_wrong_setting(asked: list[httpx.Request], url: str) -> None:
    with pytest.raises(ConfigurationError, match="is no address"):
        _ask(url, "a key")
    assert asked == []


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("key", ["kéy", "two\nlines", "\u9375"])
def test_a_key_that_no_header_can_carry_is_a_wrong_setting_and_is_not_repeated(
    asked: list[httpx.Request], key: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"^the key of --key cannot be one") as refused:
        _ask("https://house:1", key)
    assert key not in str(refused.value)
    assert asked == []
