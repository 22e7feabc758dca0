"""Channel systems at the door: single requests with their moves, and batches, each repeated until it is taken."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from random import Random
from typing import Any

import httpx

from punctual.local.system import LocalSystem
from shared.clock import monotonic
from shared.ids import new_id
from tests.acceptance.door_journal import Journal, Told
from tests.acceptance.journal import submission
from tests.acceptance.waiting import wait_until

MARK = "door-"
"""Idempotency keys begin with it."""

_GIVE_UP_SECONDS = 240.0  # a machine with other work to do needs a minute to start intake
_PAUSE_SECONDS = 0.05
_LINES = 60
_HEADWAY = 20
_CUSTOMERS = 50
_AGAIN_SHARE = 0.1  # of the calls that were taken, repeated at once though there is no need

# What is asked, and the entry it makes.
LIFE: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("stage", {"stage": "answering"}, "stage_entered"),
    ("pause", {"reason": "third_party"}, "paused"),
    ("note", {"text": "waits"}, "noted"),
    ("resume", {"reason": "third_party"}, "resumed"),
    ("response", {}, "responded"),
    ("close", {"outcome": "answered"}, "closed"),
)


def new_key() -> str:
    return MARK + new_id().hex


def new_request(rng: Random) -> dict[str, Any]:
    """A submission with an external id of its own; nothing else of it need differ from another's."""
    customer = {"id": f"C-{rng.randrange(_CUSTOMERS)}", "name": "陳大文", "language": "zh-Hant"}
    return submission(external_id=new_id().hex, customer=customer, attributes={})


class Caller:
    """Args:
    url: of intake.
    """

    def __init__(self, url: str, api_key: str, journal: Journal) -> None:
        self._http = httpx.Client(base_url=url, timeout=30, headers={"Authorization": f"Bearer {api_key}"})
        self._journal = journal

    def close(self) -> None:
        self._http.close()

    def call_once(self, path: str, body: dict[str, Any], key: str) -> httpx.Response | None:
        """The answer, None when there was none."""
        try:
            answer = self._http.post(path, json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            self._journal.note_status(0)
            return None
        self._journal.note_status(answer.status_code, is_replayed="idempotency-replayed" in answer.headers)
        return answer

    def call(self, path: str, body: dict[str, Any], key: str) -> Told:
        """The first answer that takes it; whatever passes is tried again with the same key."""
        until = monotonic() + _GIVE_UP_SECONDS
        while monotonic() < until:
            answer = self.call_once(path, body, key)
            if answer is not None and answer.is_success:
                return Told(path, body, key, answer.status_code, answer.text)
            if answer is not None and not _passes(answer):
                raise AssertionError(f"{path}: {answer.status_code} {answer.text}")
            threading.Event().wait(_PAUSE_SECONDS)
        raise TimeoutError(f"{path} was not taken within {_GIVE_UP_SECONDS} s")

    def send_batch(self, lines: Sequence[tuple[str, dict[str, Any]]]) -> int:
        """One attempt; notes what is answered, and gives how many lines were taken."""
        content = b"".join(json.dumps({"idempotency_key": key, **body}).encode() + b"\n" for key, body in lines)
        bodies = dict(lines)
        taken = 0
        headers = {"Content-Type": "application/x-ndjson"}
        try:
            with self._http.stream("POST", "/v1/requests:batch", content=content, headers=headers) as answer:
                if answer.status_code != 200:
                    answer.read()
                    self._journal.note_status(answer.status_code)
                    assert _passes(answer), answer.text
                    return 0
                for text in answer.iter_lines():
                    line = json.loads(text)
                    self._journal.note_status(line["status"], is_replayed=line.get("replayed", False))
                    if line["status"] == 201:
                        key = line["idempotency_key"]
                        self._journal.note_line(key, bodies[key], line["reference"], line["id"])
                        taken += 1
                    else:
                        assert line["status"] in (409, 503), line
        except httpx.TransportError:
            self._journal.note_status(0)
        return taken


def _passes(answer: httpx.Response) -> bool:
    return answer.status_code in (429, 503) or (answer.status_code == 409 and "in_flight" in answer.text)


class Load:
    """Threads that send until they are told to finish what they are at."""

    def __init__(self, system: LocalSystem, journal: Journal, seed: int, *, singles: int = 3, batches: int = 1) -> None:
        self._system = system
        self._journal = journal
        self._stopping = threading.Event()
        self._errors: list[BaseException] = []
        works = [self._send_lives] * singles + [self._send_batches] * batches
        self._threads = [
            threading.Thread(target=self._run, args=(work, Random(f"{seed} {n}")), daemon=True)
            for n, work in enumerate(works)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Stop after the request or batch at hand.

        Raises:
            AssertionError: a caller met something that must not be.
        """
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=_GIVE_UP_SECONDS)
            assert not thread.is_alive(), "a caller does not end"
        assert not self._errors, self._errors

    def make_headway(self) -> None:
        """Wait until more was taken, so that the next fault meets new work, however slow the machine is.

        Raises:
            AssertionError: a caller met something that must not be.
        """
        calls, lines = len(self._journal.calls) + _HEADWAY, len(self._journal.lines) + _HEADWAY
        wait_until(
            lambda: bool(self._errors) or (len(self._journal.calls) >= calls and len(self._journal.lines) >= lines),
            _GIVE_UP_SECONDS,
            "more calls and lines to be taken",
        )
        assert not self._errors, self._errors

    def _run(self, work: Any, rng: Random) -> None:
        caller = Caller(self._system.addresses["intake"], self._system.keys["app"], self._journal)
        try:
            while not self._stopping.is_set():
                work(caller, rng)
        except BaseException as error:  # noqa: BLE001  the test's thread raises it
            self._errors.append(error)
        finally:
            caller.close()

    def _send_lives(self, caller: Caller, rng: Random) -> None:
        told = caller.call("/v1/requests", new_request(rng), new_key())
        view = self._journal.note_submission(told)
        self._perhaps_again(caller, told, rng)
        for verb, body, entry in LIFE:
            told = caller.call(f"/v1/requests/{view['reference']}/{verb}", body, new_key())
            self._journal.note_move(told, view["id"], entry)
            self._perhaps_again(caller, told, rng)

    def _perhaps_again(self, caller: Caller, told: Told, rng: Random) -> None:
        if rng.random() < _AGAIN_SHARE:
            assert_same(caller, told)

    def _send_batches(self, caller: Caller, rng: Random) -> None:
        """What was not taken is sent again, sometimes together with what was."""
        lines = [(new_key(), new_request(rng)) for _ in range(_LINES)]
        until = monotonic() + _GIVE_UP_SECONDS
        while left := [line for line in lines if line[0] not in self._journal.lines]:
            assert monotonic() < until, f"{len(left)} lines were not taken within {_GIVE_UP_SECONDS} s"
            if not caller.send_batch(lines if rng.random() < 0.5 else left):
                threading.Event().wait(_PAUSE_SECONDS)


def assert_same(caller: Caller, told: Told) -> None:
    """A repeat gets the first answer, byte for byte."""
    again = caller.call(told.path, told.body, told.key)
    assert (again.status, again.answer) == (told.status, told.answer), f"{told.key}: {told.answer} / {again.answer}"
