"""Bad input gets a clear error, nothing stops, nothing is lost."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

from punctual.local.system import LocalSystem
from shared.contracts.topics import CLOCKS, CONTACTS, DEADLETTERS, NOTICES, QUALITY, REQUESTS, Topic
from shared.kafka import KafkaPublisher, OutgoingRecord
from tests.acceptance.evidence import rows_of
from tests.acceptance.journal import Channel, submission
from tests.acceptance.waiting import wait_until

CONSUMERS = {
    REQUESTS.name: ("sla_timer", "notifier", "quality_audit"),
    CLOCKS.name: ("intake", "notifier", "quality_audit"),
    CONTACTS.name: ("notifier",),
}


def post(system: LocalSystem, *, key: str | None = "k", **request: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {system.keys['app']}", "Content-Type": "application/json"}
    if key is not None:
        headers["Idempotency-Key"] = key
    return httpx.post(f"{system.addresses['intake']}/v1/requests", headers=headers, timeout=20, **request)


def assert_problem(answer: httpx.Response, status: int, field: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    if field is not None:
        assert field in {error["field"] for error in body["errors"]}, body


def test_broken_json_is_400(system: LocalSystem) -> None:
    assert_problem(post(system, content=b'{"kind": "claim",'), 400)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "wish"}, "kind"),
        ({"market": 7}, "market"),
        ({"customer": {"id": "1", "name": "n", "language": "tlh"}}, "customer.language"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2199-01-01T00:00:00Z"}, "occurred_at"),
        ({"priority": "asap"}, "priority"),
    ],
)
def test_a_wrong_field_is_422_and_named(system: LocalSystem, changes: dict[str, Any], field: str) -> None:
    assert_problem(post(system, json=submission(**changes)), 422, field)


def test_a_body_of_2_mb_is_413_declared_or_not(system: LocalSystem) -> None:
    big = b'{"description": "' + b"x" * 2_000_000 + b'"}'
    assert_problem(post(system, content=big), 413)

    def chunks() -> Any:
        for start in range(0, len(big), 50_000):
            yield big[start : start + 50_000]

    assert_problem(post(system, content=chunks()), 413)


def test_a_missing_idempotency_key_is_refused_and_named(system: LocalSystem) -> None:
    answer = post(system, key=None, json=submission())
    assert answer.status_code in {400, 422}
    assert "idempotency-key" in answer.text.lower()


def test_a_reused_idempotency_key_replays_the_answer_or_refuses_another_body(system: LocalSystem) -> None:
    first = post(system, key="reuse-1", json=submission())
    again = post(system, key="reuse-1", json=submission())
    other = post(system, key="reuse-1", json=submission(kind="claim"))
    assert first.status_code == again.status_code == 201
    assert first.json()["reference"] == again.json()["reference"]
    assert_problem(other, 422)


def test_a_caller_without_a_key_is_401(system: LocalSystem) -> None:
    answer = httpx.post(f"{system.addresses['intake']}/v1/requests", json=submission(), timeout=10)
    assert_problem(answer, 401)


def test_a_mistyped_reference_says_so(system: LocalSystem, channel: Channel) -> None:
    reference = channel.submit(system.business_now()).reference
    mistyped = ("A" if reference[0] != "A" else "B") + reference[1:]
    headers = {"Authorization": f"Bearer {system.keys['app']}"}
    answer = httpx.get(f"{system.addresses['intake']}/v1/requests/{mistyped}", headers=headers, timeout=10)
    assert_problem(answer, 404)
    assert "mistyped" in answer.json()["type"]


def rejected(system: LocalSystem, service: str, topic: str, reason: str) -> int:
    query = f"SELECT count(*) AS n FROM {service}.inbox_rejection WHERE topic = $1 AND reason = $2"
    return int(rows_of(system, query, topic, reason)[0]["n"])


def publish(system: LocalSystem, record: OutgoingRecord) -> None:
    async def send() -> None:
        publisher = KafkaPublisher(system.kafka_bootstrap, "bad-input")
        try:
            await publisher.publish([record])
        finally:
            await publisher.close()

    asyncio.run(send())


@pytest.mark.parametrize("topic", [REQUESTS, CLOCKS, CONTACTS], ids=lambda topic: topic.name)
def test_unreadable_bytes_go_to_the_dead_letter_of_every_consumer_and_the_next_request_works(
    system: LocalSystem, channel: Channel, topic: Topic
) -> None:
    before = {s: rejected(system, s, topic.name, "not_a_cloudevent") for s in CONSUMERS[topic.name]}
    publish(system, OutgoingRecord(topic.name, b"x", b"\x00\xff\xfe", ()))
    for service in CONSUMERS[topic.name]:
        wait_until(
            lambda s=service: rejected(system, s, topic.name, "not_a_cloudevent") == before[s] + 1,  # type: ignore[misc]
            20,
            f"the dead letter of {service}",
        )
    request = channel.submit(system.business_now())
    query = "SELECT count(*) AS n FROM notifier.notice WHERE request_id = $1::text::uuid AND state = 'sent'"
    wait_until(lambda: rows_of(system, query, request.request_id)[0]["n"] >= 1, 20, "the next confirmation")


def deadletter(system: LocalSystem, *words: str) -> Any:
    command = [sys.executable, "-m", "punctual.cli", "deadletter", *words, "--kafka", system.kafka_bootstrap, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def test_an_event_of_a_newer_version_can_be_listed_shown_and_replayed_to_its_service_alone(system: LocalSystem) -> None:
    headers = (("ce_specversion", b"1.0"), ("ce_type", b"punctual.request.submitted.v2"), ("ce_id", b"1"))
    publish(system, OutgoingRecord(REQUESTS.name, b"x", b'{"from": "the future"}', headers))
    choice = ("--service", "sla_timer", "--reason", "newer_version")
    wait_until(lambda: len(deadletter(system, "list", *choice)) == 1, 20, "the dead letter")
    (letter,) = deadletter(system, "list", *choice)
    assert deadletter(system, "show", letter["id"])["value"] == '{"from": "the future"}'
    before = rejected(system, "notifier", REQUESTS.name, "newer_version")
    assert deadletter(system, "replay", letter["id"]) == {"replayed": [letter["id"]], "gone": []}
    # This program still cannot read it, so the replay ends in a second letter, of this service only.
    wait_until(lambda: len(deadletter(system, "list", *choice)) == 2, 20, "the second letter")
    assert rejected(system, "notifier", REQUESTS.name, "newer_version") == before


@pytest.mark.parametrize("topic", [NOTICES, QUALITY, DEADLETTERS], ids=lambda topic: topic.name)
def test_garbage_on_a_topic_that_no_service_reads_harms_nobody(
    system: LocalSystem, channel: Channel, topic: Topic
) -> None:
    publish(system, OutgoingRecord(topic.name, b"x", b"\x00\xff\xfe", ()))
    channel.submit(system.business_now())
    assert isinstance(deadletter(system, "list"), list)


def test_a_broken_policy_is_refused_with_file_line_and_field_and_the_old_one_stays(system: LocalSystem) -> None:
    headers = {"Authorization": f"Bearer {system.keys['staff']}", "Content-Type": "text/yaml"}
    url = f"{system.addresses['sla_timer']}/v1/policies"
    before = httpx.get(url, headers=headers, timeout=10).json()
    broken = before["source"].replace("8h elapsed", "8h sometimes", 1)
    answer = httpx.put(url, headers=headers, content=broken, timeout=10)
    assert_problem(answer, 422)
    assert "budget" in answer.text
    assert "line" in answer.text.lower()
    assert httpx.get(url, headers=headers, timeout=10).json()["version"] == before["version"]
