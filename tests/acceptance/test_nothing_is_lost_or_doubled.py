"""Kill anything while requests flow; afterwards everything is as if nothing had happened.

An undisturbed run is reckoned from what the channel remembers alone: budgets are elapsed time, so a deadline is an
addition.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from punctual.local.system import LocalSystem
from shared.contracts.requests import RequestSubmitted
from shared.contracts.topics import CLOCKS, REQUESTS
from tests.acceptance.evidence import Decision, decisions_of, log_of, mails_of, mails_written, record_count, rows_of
from tests.acceptance.journal import Accepted, Channel
from tests.acceptance.waiting import wait_until

SERVICES = ("intake", "sla_timer", "notifier", "quality_audit")
READERS = {
    REQUESTS.name: ("sla_timer", "notifier", "quality_audit"),
    CLOCKS.name: ("intake", "notifier", "quality_audit"),
}
BUDGETS = {"response": timedelta(hours=8), "resolution": timedelta(hours=24)}
LADDER = (("warned", 1, 0.75, 0), ("breached", 0, 1.0, 0), ("escalated", 1, 1.0, 2), ("escalated", 2, 1.0, 4))
PACE_SECONDS = 0.08
KILLS = ("intake", "sla_timer", "notifier", "kafka", "sla_timer", "postgres", "quality_audit", "notifier", "intake")
BETWEEN_KILLS_SECONDS = 4.0


class Traffic(threading.Thread):
    """Submits all the time; a third is closed at once, a third responded to, a third left alone."""

    def __init__(self, system: LocalSystem, channel: Channel) -> None:
        super().__init__(name="traffic")
        self._system = system
        self._channel = channel
        self._stopping = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        number = 0
        try:
            while not self._stopping.wait(PACE_SECONDS):
                now = self._system.business_now()
                request = self._channel.submit(now)
                if number % 3 == 0:
                    self._channel.close_request(request, now + timedelta(minutes=1))
                elif number % 3 == 1:
                    self._channel.respond(request, now + timedelta(minutes=1))
                number += 1
        except BaseException as error:
            self.error = error
            raise

    def finish(self) -> None:
        self._stopping.set()
        self.join(timeout=120)
        assert not self.is_alive()
        assert self.error is None


@pytest.fixture(scope="module")
def disturbed(system: LocalSystem) -> list[Accepted]:
    """The journal of a run in which everything was killed once or twice."""
    channel = Channel(system.addresses["intake"], system.keys["app"])
    traffic = Traffic(system, channel)
    traffic.start()
    pause = threading.Event()
    for name in KILLS:
        pause.wait(BETWEEN_KILLS_SECONDS)
        child = system.process(name)
        child.kill()
        pause.wait(0.5)
        child.start()
    pause.wait(BETWEEN_KILLS_SECONDS)
    traffic.finish()
    channel.close()
    horizon = max(a.submitted_at for a in channel.accepted) + BUDGETS["resolution"] + timedelta(hours=5)
    wait_until(lambda: system.business_now() > horizon, 90, "business time to pass the last rung")
    try:
        wait_until(lambda: not unsettled(system), 120, "everything to be worked off")
    except TimeoutError as error:
        error.add_note(str(unsettled(system)))
        raise
    return channel.accepted


def unsettled(system: LocalSystem) -> dict[str, int]:
    """What is still to be worked off, by name."""
    queries = {f"{service}.outbox": f"SELECT count(*) AS n FROM {service}.outbox" for service in SERVICES}
    queries["notices"] = (
        "SELECT count(*) AS n FROM notifier.notice WHERE state IN ('planned', 'held', 'ready', 'sending', 'in_doubt')"
    )
    left = {name: rows_of(system, query)[0]["n"] for name, query in queries.items()}
    for topic in (REQUESTS, CLOCKS):
        written = record_count(system, topic)
        for service in READERS[topic.name]:
            query = f"SELECT sum(next_offset)::bigint AS n FROM {service}.inbox_position WHERE topic = $1"
            left[f"{topic.name} to {service}"] = written - rows_of(system, query, topic.name)[0]["n"]
    timers = rows_of(system, "SELECT count(*) AS n FROM sla_timer.clock WHERE next_at <= $1", system.business_now())
    return {name: count for name, count in {**left, "overdue timers": timers[0]["n"]}.items() if count}


@pytest.mark.timeout(420)
def test_every_accepted_request_is_in_the_database_and_on_the_log_exactly_once(
    system: LocalSystem, disturbed: list[Accepted]
) -> None:
    accepted = Counter(UUID(a.request_id) for a in disturbed)
    assert len(accepted) == len(disturbed) > 100
    stored = {row["request_id"] for row in rows_of(system, "SELECT request_id FROM intake.request")}
    assert stored == set(accepted)
    submitted = Counter(e.subject for e in log_of(system, REQUESTS) if isinstance(e.data, RequestSubmitted))
    assert submitted == accepted


def test_every_deadline_warning_breach_and_escalation_was_decided_exactly_once(
    system: LocalSystem, disturbed: list[Accepted]
) -> None:
    decided = decisions_of(log_of(system, CLOCKS))
    for request in disturbed:
        for objective, budget in BUDGETS.items():
            decisions = decided[UUID(request.request_id), objective]
            check(request, objective, budget, decisions)


def check(request: Accepted, objective: str, budget: timedelta, decisions: list[Decision]) -> None:
    due_at = request.submitted_at + budget
    stopped_at = request.stopped_at.get(objective)
    counted = Counter((d.kind, d.level) for d in decisions)
    assert max(counted.values()) == 1, f"{request.reference} {objective}: decided twice: {counted}"
    assert counted["started", 0] == 1
    expected = {
        (kind, level): due_at - (1 - share) * budget + timedelta(hours=hours) for kind, level, share, hours in LADDER
    }
    rungs = {
        (d.kind, 0 if d.kind == "breached" else d.level): d
        for d in decisions
        if d.kind in {"warned", "breached", "escalated"}
    }
    for rung, decision in rungs.items():
        assert decision.occurred_at == expected[rung], f"{request.reference} {objective} {rung}"
        assert decision.recorded_at >= decision.occurred_at, "fired early"
    if stopped_at is None:
        assert set(rungs) == set(expected), f"{request.reference} {objective}"
        assert not {"met", "missed", "breach_withdrawn"} & {d.kind for d in decisions}
    else:
        # The client stopped it in time. If the news was held up by a kill, what fired meanwhile was taken back.
        assert counted["met", 0] == 1
        assert counted["missed", 0] == 0
        assert counted["breach_withdrawn", 0] == counted["breached", 0]


def test_every_customer_got_one_confirmation_and_no_mail_came_twice(
    system: LocalSystem, disturbed: list[Accepted]
) -> None:
    rendered = mails_written(system)
    copies = Counter(mail["message_id"] for mail in mails_of(system))
    sent = {message_id for message_id, row in rendered.items() if row["state"] == "sent"}
    assert sent <= copies.keys(), "a notice called sent never arrived"
    assert copies.keys() <= rendered.keys(), "a mail arrived that nobody decided to send"
    # SMTP cannot tell whether a hand-over that was cut off in mid-body was kept; only those are sent a second time.
    assert all(rendered[message_id]["is_resend"] for message_id, count in copies.items() if count > 1)
    confirmed = Counter(
        row["request_id"] for message_id, row in rendered.items() if row["kind"] == "received" and message_id in copies
    )
    assert confirmed == Counter(UUID(request.request_id) for request in disturbed)


def test_every_role_got_one_mail_for_every_warning_breach_and_escalation(
    system: LocalSystem, disturbed: list[Accepted]
) -> None:
    received: dict[str, Counter[str]] = {}
    seen: set[str] = set()
    for mail in mails_of(system):
        if mail["message_id"] not in seen:
            seen.add(mail["message_id"])
            for address in mail["to"]:
                received.setdefault(address, Counter()).update(
                    request.reference for request in disturbed if request.reference in mail["subject"]
                )
    # A warning whose hand-over was cut off is not repeated: the breach it warns of is told.
    cut_off = Counter(
        row["request_id"]
        for row in rows_of(
            system,
            "SELECT request_id FROM notifier.notice"
            " WHERE kind = 'warning' AND state = 'failed' AND reason = 'in_doubt'",
        )
    )
    for request in disturbed:
        if not request.stopped_at:  # two clocks: warning, breach and first escalation to the one, the last to the other
            told = received["team-lead@insurer.example"][request.reference]
            assert 6 - cut_off[UUID(request.request_id)] <= told <= 6
            assert received["head-of-operations@insurer.example"][request.reference] == 2


def test_every_closed_request_is_in_the_frame_of_the_quality_audit_once(
    system: LocalSystem, disturbed: list[Accepted]
) -> None:
    framed = Counter(row["request_id"] for row in rows_of(system, "SELECT request_id FROM quality_audit.frame_unit"))
    assert framed == Counter(UUID(request.request_id) for request in disturbed if "resolution" in request.stopped_at)


def test_nothing_was_rejected_and_no_event_is_missing(system: LocalSystem, disturbed: list[Accepted]) -> None:
    assert disturbed
    for service in SERVICES:
        assert rows_of(system, f"SELECT * FROM {service}.inbox_rejection") == []
        assert "events are missing" not in system.folders.log(service).read_text()
