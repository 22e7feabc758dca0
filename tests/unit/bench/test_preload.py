from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import bench
from bench.preload import FIRED, PENDING, submitted
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.policies import read_policies
from shared.contracts.envelope import Event, decode
from shared.contracts.requests import RequestSubmitted

NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
POLICIES = Path(bench.__file__).with_name("policies")
CALENDARS = {"hong_kong", "mainland_china", "taiwan"}


def preloaded(number: int, product_line: str = "motor") -> Event[RequestSubmitted]:
    record = submitted(number, NOW - timedelta(hours=1), NOW, product_line)
    event = decode(record.key, record.value, record.headers)
    assert isinstance(event, Event)
    assert isinstance(event.data, RequestSubmitted)
    return Event(**{name: getattr(event, name) for name in Event.__dataclass_fields__})


def test_a_preloaded_record_reads_back_as_a_new_request() -> None:
    event = preloaded(1)

    assert event.sequence == 1
    assert event.subject == event.data.request_id
    assert (event.occurred_at, event.recorded_at) == (NOW - timedelta(hours=1), NOW)


def test_preloaded_requests_are_all_different() -> None:
    events = [preloaded(number) for number in range(20)]

    assert len({event.subject for event in events}) == 20
    assert len({event.data.kind for event in events}) == 5


@pytest.mark.parametrize("name", ["end_to_end.yml", "fold.yml", "timers.yml"])
def test_the_policies_of_the_benchmarks_are_valid(name: str) -> None:
    policies, _ = read_policies((POLICIES / name).read_text(encoding="utf-8"), name, CALENDARS)

    assert policies[-1].is_default


@pytest.mark.parametrize("product_line", [FIRED, PENDING])
def test_a_timer_is_fired_or_pending_by_the_product_line_of_its_request(product_line: str) -> None:
    policies, _ = read_policies((POLICIES / "timers.yml").read_text(encoding="utf-8"), "timers.yml", CALENDARS)
    facts = Facts.of(preloaded(1, product_line).data)

    assert next(policy for policy in policies if policy.matches(facts)).code == product_line
