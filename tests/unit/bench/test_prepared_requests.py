from __future__ import annotations

import json
from itertools import pairwise

from bench.load.requests import PreparedLines, PreparedRequests, number_of, submission
from services.intake.api.batch_lines import read_line
from services.intake.api.bodies import SubmitBody

PREPARED = PreparedRequests("http://127.0.0.1:8801/v1/requests", "a-key%", "run")


def parts(message: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = message.partition(b"\r\n\r\n")
    _, *lines = head.decode().split("\r\n")
    return dict(line.split(": ", 1) for line in lines), body


def test_every_body_is_one_that_intake_takes() -> None:
    for number in range(60):
        _, body = parts(PREPARED.message(number))
        assert SubmitBody.model_validate_json(body).customer.id == f"C-{number:012d}"


def test_the_length_is_told_right() -> None:
    for number in (0, 1, 30, 123_456_789_012):
        headers, body = parts(PREPARED.message(number))
        assert int(headers["Content-Length"]) == len(body)


def test_every_line_is_one_that_intake_takes_and_has_a_key_of_its_own() -> None:
    lines = PreparedLines("run%")
    bodies = [read_line(lines.line(number)) for number in range(60)]
    assert [body.customer.id for body in bodies] == [f"C-{number:012d}" for number in range(60)]
    assert len({body.idempotency_key for body in bodies}) == 60
    assert lines.line(7).count(b"\n") == 1


def test_every_message_has_a_key_of_its_own() -> None:
    keys = [parts(PREPARED.message(number))[0]["Idempotency-Key"] for number in range(100)]

    assert len(set(keys)) == 100


def test_the_caller_is_named_as_given() -> None:
    headers, _ = parts(PREPARED.message(7))

    assert headers["Authorization"] == "Bearer a-key%"


def test_kinds_and_markets_take_turns() -> None:
    bodies = [submission(turn) for turn in range(30)]

    assert {body["market"] for body in bodies} == {"HK", "CN", "TW"}
    assert len({body["kind"] for body in bodies}) == 5
    assert all(one["market"] != other["market"] for one, other in pairwise(bodies))


def test_a_customers_address_tells_the_number_of_the_request() -> None:
    _, body = parts(PREPARED.message(4711))

    assert number_of(json.loads(body)["customer"]["email"]) == 4711


def test_other_addresses_tell_no_number() -> None:
    assert number_of("team_lead@insurer.example") is None
    assert number_of("cx@customer.example") is None
