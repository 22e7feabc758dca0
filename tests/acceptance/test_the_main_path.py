"""A request posted over HTTP becomes a deadline, a confirmation, a breach and a scored sample."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx

from punctual.local.system import LocalSystem
from shared.contracts.topics import CLOCKS, NOTICES, REQUESTS
from tests.acceptance.evidence import decisions_of, log_of, mails_of, rows_of
from tests.acceptance.journal import Accepted, Channel, submission
from tests.acceptance.waiting import wait_until


def view_of(system: LocalSystem, request: Accepted) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {system.keys['app']}"}
    answer = httpx.get(f"{system.addresses['intake']}/v1/requests/{request.reference}", headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    view: dict[str, object] = answer.json()
    return view


def mails_to(system: LocalSystem, address: str) -> list[dict[str, object]]:
    return mails_of(system, address)


def test_an_accepted_request_has_its_deadline_and_its_expected_time(system: LocalSystem, channel: Channel) -> None:
    request = channel.submit(system.business_now())
    wait_until(lambda: view_of(system, request)["expected_at"] is not None, 20, "the expected time")
    deadlines = view_of(system, request)["deadlines"]
    assert isinstance(deadlines, list)
    assert {d["objective"] for d in deadlines} == {"response", "resolution"}


def test_the_customer_is_told_in_the_language_chosen(system: LocalSystem, channel: Channel) -> None:
    expected = {"zh-Hant": "檔案編號", "zh-Hans": "受理编号", "en": "reference"}
    markets = {"zh-Hant": "HK", "zh-Hans": "CN", "en": "HK"}
    for language, word in expected.items():
        customer = {"id": "x", "name": "Chan", "email": "x@customer.example", "language": language}
        request = channel.submit(system.business_now(), market=markets[language], customer=customer)
        wait_until(lambda r=request: bool(mails_to(system, r.email)), 20, "the confirmation")  # type: ignore[misc]
        (mail,) = mails_to(system, request.email)
        assert request.reference in str(mail["subject"]) + str(mail["text"])
        assert word.lower() in str(mail["text"]).lower()
        assert "/t/" in str(mail["text"]), "the confirmation must say where to follow the request"


def test_an_unanswered_request_is_warned_breached_and_escalated_in_order_and_never_early(
    system: LocalSystem, channel: Channel
) -> None:
    request = channel.submit(system.business_now())
    due_at = request.submitted_at + timedelta(hours=24)
    wait_until(lambda: system.business_now() > due_at + timedelta(hours=4, minutes=30), 60, "the last rung")
    key = (UUID(request.request_id), "resolution")
    wait_until(lambda: len(decisions_of(log_of(system, CLOCKS)).get(key, [])) == 5, 20, "all five decisions")
    decisions = decisions_of(log_of(system, CLOCKS))[key]
    assert [d.kind for d in decisions] == ["started", "warned", "breached", "escalated", "escalated"]
    assert [d.occurred_at - due_at for d in decisions[1:]] == [
        -timedelta(hours=6),
        timedelta(0),
        timedelta(hours=2),
        timedelta(hours=4),
    ]
    assert all(d.recorded_at >= d.occurred_at for d in decisions)


def test_a_pause_moves_the_deadline_by_its_length(system: LocalSystem, channel: Channel) -> None:
    request = channel.submit(system.business_now())
    paused_at = request.submitted_at + timedelta(minutes=10)
    path = f"/v1/requests/{request.reference}"
    wait_until(lambda: system.business_now() > paused_at + timedelta(hours=2), 20, "two hours of pause")
    reason = {"reason": "customer_documents"}
    assert channel.post(f"{path}/pause", {**reason, "occurred_at": paused_at.isoformat()}).status_code == 200
    resumed_at = paused_at + timedelta(hours=2)
    assert channel.post(f"{path}/resume", {**reason, "occurred_at": resumed_at.isoformat()}).status_code == 200
    due_at = (request.submitted_at + timedelta(hours=26)).isoformat().replace("+00:00", "Z")

    def has_moved() -> bool:
        deadlines = view_of(system, request)["deadlines"]
        assert isinstance(deadlines, list)
        return any(d["objective"] == "resolution" and d["due_at"] == due_at for d in deadlines)

    wait_until(has_moved, 20, f"the deadline to be {due_at}")


def test_closed_requests_are_sampled_and_scored(system: LocalSystem, channel: Channel) -> None:
    staff = httpx.Client(
        base_url=system.addresses["quality_audit"],
        headers={"Authorization": f"Bearer {system.keys['staff']}"},
        timeout=10,
    )
    for _ in range(60):
        now = system.business_now()
        channel.close_request(channel.submit(now), now + timedelta(seconds=1))
    wait_until(lambda: bool(staff.get("/v1/samples", params={"state": "open"}).json()["samples"]), 30, "a sample")
    sample = staff.get("/v1/samples", params={"state": "open"}).json()["samples"][0]
    review = {"reviewer": "r1", "is_accurate": False, "is_complete": True, "error_causes": ["wrong_amount"]}
    answer = staff.post(f"/v1/samples/{sample['id']}/review", json=review)
    assert answer.status_code in {200, 201}, answer.text
    score = staff.get("/v1/score").json()
    accuracy = score["accuracy"]
    assert accuracy["n"] >= 1
    assert accuracy["lower"] <= accuracy["point"] <= accuracy["upper"]
    staff.close()


def test_one_correlation_id_runs_from_the_http_request_to_the_mail(system: LocalSystem) -> None:
    headers = {
        "Authorization": f"Bearer {system.keys['app']}",
        "Idempotency-Key": "correlation-1",
        "X-Correlation-Id": "follow-me-42",
    }
    body = submission(customer={"id": "C-9", "name": "C", "email": "corr@customer.example", "language": "en"})
    answer = httpx.post(f"{system.addresses['intake']}/v1/requests", json=body, headers=headers, timeout=10)
    assert answer.status_code == 201
    assert answer.headers["x-correlation-id"] == "follow-me-42"
    subject = UUID(answer.json()["id"])
    wait_until(lambda: bool(mails_to(system, "corr@customer.example")), 20, "the confirmation")
    (mail,) = mails_to(system, "corr@customer.example")
    mail_headers = mail["headers"]
    assert isinstance(mail_headers, dict)
    assert mail_headers["x-correlation-id"] == "follow-me-42"
    for topic in (REQUESTS, CLOCKS, NOTICES):
        events = [e for e in log_of(system, topic) if e.subject == subject]
        assert events
        assert {e.correlation_id for e in events} == {"follow-me-42"}, topic.name
    for service in ("intake", "notifier"):
        assert "follow-me-42" in system.folders.log(service).read_text(), service


def test_each_service_role_reads_its_own_schema_only(system: LocalSystem) -> None:
    for service in ("intake", "sla_timer", "notifier", "quality_audit"):
        others = rows_of(
            system,
            "SELECT nspname FROM pg_namespace WHERE nspname IN ('intake', 'sla_timer', 'notifier', 'quality_audit')"
            " AND has_schema_privilege($1, oid, 'USAGE')",
            f"punctual_{service}",
        )
        assert [row["nspname"] for row in others] == [service]


def test_every_probe_answers(system: LocalSystem) -> None:
    for service, address in system.addresses.items():
        for path in ("/healthz", "/readyz", "/metrics"):
            assert httpx.get(f"{address}{path}", timeout=10).status_code == 200, f"{service} {path}"
