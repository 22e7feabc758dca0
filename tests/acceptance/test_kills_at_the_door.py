"""Intake is killed around its commits, and commits become ambiguous: nothing is lost or doubled, first answers stay.

The long campaign is `python -m tests.campaign.door`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from random import Random
from typing import Any

import httpx
import pytest

from tests.acceptance.database_proxy import Passage
from tests.acceptance.door_journal import Journal, discrepancies
from tests.acceptance.door_load import Caller, Load, assert_same, new_key, new_request
from tests.acceptance.door_rig import Door, door
from tests.acceptance.evidence import rows_of

pytestmark = pytest.mark.timeout(600)  # a machine with other work to do takes its time over a dozen starts of intake

SEED = 20260302
SEVERAL_TIMES = ("killed around a commit", "Postgres killed at a commit", "Postgres killed at a commit")
"""Faults at instants that no proxy can choose; every fault happens once besides."""

_REPEATED_AT_THE_END = 400


@pytest.fixture(scope="module")
def at_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with door(tmp_path_factory.mktemp("door") / "home") as opened:
        yield opened


@pytest.fixture(scope="module")
def journal() -> Journal:
    """Of all tests here: each comparison looks at everything that is stored."""
    return Journal()


@pytest.fixture
def caller(at_door: Door, journal: Journal) -> Iterator[Caller]:
    caller = Caller(at_door.system.addresses["intake"], at_door.system.keys["app"], journal)
    yield caller
    caller.close()


class Call(threading.Thread):
    """One attempt, made while the test does something else.

    Attributes:
        answer: None when there was none.
    """

    def __init__(self, caller: Caller, path: str, body: dict[str, object], key: str) -> None:
        super().__init__(daemon=True)
        self._call = (path, body, key)
        self._caller = caller
        self.answer: httpx.Response | None = None
        self.start()

    def run(self) -> None:
        self.answer = self._caller.call_once(*self._call)

    def finished(self) -> httpx.Response | None:
        self.join(30)
        assert not self.is_alive()
        return self.answer


def stored_answer(at_door: Door, key: str) -> list[dict[str, Any]]:
    rows = rows_of(at_door.system, "SELECT body FROM intake.idempotency_key WHERE key = $1", key)
    return [json.loads(row["body"]) for row in rows]


def as_kept(path: str, answer: str) -> dict[str, Any]:
    """What the channel calls the request stands in the request alone, so that an erasure reaches it, and with a move
    only the submission is kept of the history.
    """
    shown: dict[str, Any] = json.loads(answer)
    assert shown["external_id"] is not None
    history = shown["history"] if path == "/v1/requests" else shown["history"][:1]
    return {**shown, "external_id": None, "history": history}


KILLED = {Passage.HOLD: 1, Passage.SWALLOW: 0}
"""Where it is killed, and how often the call is stored by then."""


@pytest.mark.parametrize("passage", KILLED)
def test_a_retry_after_a_kill_at_the_commit_is_stored_once_and_gets_the_first_answer(
    at_door: Door, journal: Journal, caller: Caller, passage: Passage
) -> None:
    told = journal.note_submission(caller.call("/v1/requests", new_request(Random(SEED)), new_key()))
    calls = {
        "/v1/requests": new_request(Random(SEED)),
        f"/v1/requests/{told['reference']}/stage": {"stage": "answering"},
    }
    for path, body in calls.items():
        key = new_key()
        met = at_door.proxy.meet(passage)
        call = Call(caller, path, body, key)
        at_door.wait_for(met)
        at_door.kill()
        assert call.finished() is None, "it was answered before it was killed"
        kept = stored_answer(at_door, key)
        assert len(kept) == KILLED[passage]
        at_door.start()
        replayed = journal.replayed
        taken = caller.call(path, body, key)
        assert journal.replayed - replayed == KILLED[passage]
        assert [as_kept(path, taken.answer)] == (kept or stored_answer(at_door, key))
        assert_same(caller, taken)
        if path == "/v1/requests":
            journal.note_submission(taken)
        else:
            journal.note_move(taken, told["id"], "stage_entered")
    assert discrepancies(at_door.system, journal) == []


@pytest.mark.parametrize("passage", KILLED)
def test_a_batch_cut_off_by_a_kill_at_a_commit_is_sent_again_and_every_line_is_stored_once(
    at_door: Door, journal: Journal, caller: Caller, passage: Passage
) -> None:
    lines = [(new_key(), new_request(Random(SEED + number))) for number in range(300)]
    met = at_door.proxy.meet(passage)
    sending = threading.Thread(target=caller.send_batch, args=(lines,), daemon=True)
    sending.start()
    at_door.wait_for(met)
    at_door.kill()
    sending.join(30)
    answered = sum(key in journal.lines for key, _ in lines)
    keys = [key for key, _ in lines]
    query = "SELECT count(*) AS n FROM intake.idempotency_key WHERE key = ANY($1)"
    kept = rows_of(at_door.system, query, keys)[0]["n"]
    assert answered < kept if passage is Passage.HOLD else answered <= kept < len(lines)
    at_door.start()
    replayed = journal.replayed
    assert caller.send_batch(lines) == len(lines)
    assert journal.replayed - replayed == kept
    assert discrepancies(at_door.system, journal) == []


@pytest.mark.parametrize("passage", [Passage.CUT, Passage.DROP])
def test_an_ambiguous_commit_is_answered_503_and_the_retry_says_what_became_of_it(
    at_door: Door, journal: Journal, caller: Caller, passage: Passage
) -> None:
    is_stored = passage is Passage.CUT
    told = journal.note_submission(caller.call("/v1/requests", new_request(Random(SEED)), new_key()))
    moved = f"/v1/requests/{told['reference']}/stage"
    for path, body in (("/v1/requests", new_request(Random(SEED))), (moved, {"stage": "answering"})):
        key = new_key()
        met = at_door.proxy.meet(passage)
        answer = caller.call_once(path, body, key)
        assert met.is_set()
        assert answer is not None
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:punctual:problem:try_again")
        assert answer.headers["retry-after"]
        assert len(stored_answer(at_door, key)) == is_stored
        replayed = journal.replayed
        taken = caller.call(path, body, key)
        assert journal.replayed - replayed == is_stored
        if path == "/v1/requests":
            journal.note_submission(taken)
        else:
            journal.note_move(taken, told["id"], "stage_entered")
    assert discrepancies(at_door.system, journal) == []


def test_faults_around_commits_under_load_lose_and_double_nothing(at_door: Door, journal: Journal) -> None:
    rng = Random(SEED)
    cut_off, unclear = journal.statuses[0], journal.statuses[503]
    load = Load(at_door.system, journal, SEED)
    load.start()
    for name in (*at_door.faults, *SEVERAL_TIMES):
        at_door.faults[name](rng)
        load.make_headway()
    load.finish()
    assert discrepancies(at_door.system, journal) == []
    assert 500 not in journal.statuses, journal.statuses
    assert journal.statuses[0] - cut_off > 2, "no call was cut off"
    assert journal.statuses[503] - unclear > 2, "no commit was ambiguous"


def test_every_call_ever_taken_is_still_answered_as_it_was_first(
    at_door: Door, journal: Journal, caller: Caller
) -> None:
    sample = Random(SEED).sample(journal.calls, min(_REPEATED_AT_THE_END, len(journal.calls)))
    for told in sample:
        assert_same(caller, told)
    assert len(sample) > 100
    assert discrepancies(at_door.system, journal) == []
