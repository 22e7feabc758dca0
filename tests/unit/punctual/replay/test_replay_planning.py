"""Cases become submissions and moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from punctual.replay.cases import idempotency_key
from punctual.replay.facts import code_of, one_line
from punctual.replay.mapping.events import LogEvent
from punctual.replay.mapping.model import LogMap
from punctual.replay.planning import Plan, plan_cases

BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
REQUEST = {"kind": "claim", "market": "HK", "language": "zh-Hant", "channel": "app"}
ACTIVITIES = {
    "open": "submit",
    "look": {"stage": "assessment"},
    "wait": {"pause": "third_party"},
    "go on": [{"resume": "third_party"}, {"stage": "assessment"}],
    "answer": "respond",
    "end": {"close": "declined"},
    "end / paid": {"close": "paid", "take": "last"},
    "noise": "ignore",
}


def plan(*events: str, values: tuple[str, ...] = (), limit: int | None = None, **more: Any) -> Plan:
    """Events as ``case:activity``, a minute apart."""
    log_map = LogMap.model_validate(
        {
            "columns": {"case": "case", "activity": "what", "instant": "at"},
            "request": {**REQUEST, **more.pop("request", {})},
            "activities": ACTIVITIES,
            **more,
        }
    )
    log = []
    for order, event in enumerate(events):
        case, _, activity = event.partition(":")
        log.append(LogEvent(BEGIN + timedelta(minutes=order), order, order + 2, case, activity, "Resource 7", values))
    return plan_cases(log, log_map, log_name="log", limit=limit)


def calls(made: Plan, case: int = 0) -> list[str]:
    return [f"{step.action.verb} {step.action.object}".strip() for step in made.cases[case].steps]


def test_a_case_is_submitted_and_moved_in_order() -> None:
    made = plan("1:open", "1:look", "1:answer", "1:end / paid")
    assert calls(made) == ["submit", "stage assessment", "respond", "close paid"]
    assert [step.at for step in made.cases[0].steps] == [BEGIN + timedelta(minutes=n) for n in range(4)]
    assert made.cases[0].is_closed
    assert {step.handler for step in made.cases[0].steps} == {"Resource-7"}


def test_the_first_event_that_is_not_ignored_submits_whatever_else_it_does() -> None:
    assert calls(plan("1:noise", "1:look")) == ["submit", "stage assessment"]
    assert calls(plan("1:open", "1:open", "1:look")) == ["submit", "stage assessment"]


def test_what_changes_nothing_is_not_sent_but_counted() -> None:
    made = plan("1:open", "1:look", "1:look", "1:wait", "1:wait", "1:go on", "1:go on")
    assert calls(made) == ["submit", "stage assessment", "pause third_party", "resume third_party"]
    assert made.without_effect == 3


def test_only_the_last_occurrence_counts_where_the_map_says_so() -> None:
    made = plan("1:open", "1:end / paid", "1:look", "1:end / paid")
    assert calls(made) == ["submit", "stage assessment", "close paid"]
    assert made.ignored == {"end / paid": 1}


def test_the_entry_with_the_most_columns_that_fits_is_taken() -> None:
    assert calls(plan("1:open", "1:end / paid / early"))[-1] == "close paid"
    assert calls(plan("1:open", "1:end / other"))[-1] == "close declined"


def test_activities_that_the_map_does_not_name_are_counted_by_name() -> None:
    made = plan("1:open", "1:surprise", "1:surprise", "1:noise", "2:surprise")
    assert (made.unmapped, made.ignored, made.empty_cases) == ({"surprise": 3}, {"noise": 1}, 1)
    assert calls(plan("1:open", "1:surprise", unmapped="respond")) == ["submit", "respond"]


def test_a_limit_takes_the_earliest_cases() -> None:
    made = plan("1:noise", "2:open", "3:open", "1:open", limit=2)
    assert [case.name for case in made.cases] == ["2", "1"]
    assert (made.events_beyond_limit, made.played, made.ignored) == (1, {"open": 2}, {"noise": 1})


def test_every_event_is_counted_once_whatever_becomes_of_it() -> None:
    request = {"market": {"column": "m", "values": {"a": "HK"}}}
    made = plan("1:open", "1:look", "1:look", "1:noise", "1:surprise", "2:noise", values=("a",), request=request)
    assert (made.played, made.without_effect) == ({"open": 1, "look": 1}, 1)
    assert (made.ignored, made.unmapped) == ({"noise": 2}, {"surprise": 1})
    assert made.calls == {"submit": 1, "stage assessment": 1}
    made = plan("1:open", "1:look", "2:noise", values=("b",), request=request)
    assert (made.events_of_unusable, made.played.total(), made.ignored.total()) == (3, 0, 0)


def test_a_case_without_a_closing_stays_open() -> None:
    assert not plan("1:open", "1:look").cases[0].is_closed


def test_facts_come_from_columns_by_way_of_tables() -> None:
    request = {
        "kind": {"column": "k", "values": {"A": "complaint"}, "default": "enquiry"},
        "product_line": {"column": "p"},
        "attributes": {"amount": {"column": "n", "as": "number"}, "team": "t"},
    }
    made = plan("1:open", request=request, values=("A", "life & health", "12.50", "Team 7"))
    body = made.cases[0].submission
    assert (body["kind"], body["product_line"]) == ("complaint", "life-health")
    assert body["attributes"] == {"amount": 12.5, "team": "Team-7"}
    assert plan("1:open", request=request, values=("Z", "", "many", "")).cases[0].submission["attributes"] == {}


def test_a_value_without_meaning_makes_the_case_unusable_and_is_told() -> None:
    made = plan("1:open", request={"market": {"column": "m", "values": {"a": "HK"}}}, values=("b",))
    assert made.cases == []
    assert list(made.unusable) == ["market: the map has no meaning for what column m says, and no default"]


def test_customers_are_synthetic_and_the_same_in_every_replay() -> None:
    first, second = (plan("1:open", "2:open", customer={"column": "c"}, values=("Ms Real Name",)) for _ in range(2))
    customers = [case.submission["customer"] for case in (*first.cases, *second.cases)]
    assert all(customer == customers[0] for customer in customers)
    assert customers[0]["email"].endswith("@customer.example")
    assert "Real" not in str(customers[0])
    own = [case.submission["customer"]["id"] for case in plan("1:open", "2:open").cases]
    assert len(set(own)) == 2


def test_keys_name_log_case_and_event_and_nothing_else() -> None:
    key = idempotency_key("log", "案件 1", "3.0")
    assert key == idempotency_key("log", "案件 1", "3.0")
    assert key.isascii()
    others = {
        idempotency_key("log", "案件 1", "3.1"),
        idempotency_key("other", "案件 1", "3.0"),
        idempotency_key("l", "og", "3"),
    }
    assert len(others | {key}) == 4


@pytest.mark.parametrize(
    ("text", "code"),
    [("Team 7", "Team-7"), ("  a/b_c.d:e ", "a/b_c.d:e"), ("--x--", "x"), ("é", "b"), ("", ""), ("x" * 99, "x" * 64)],
)
def test_words_are_made_fit_for_codes(text: str, code: str) -> None:
    made = code_of(text)
    assert made == code if text != "é" else len(made) == 12
    assert made == code_of(text)


def test_names_of_cases_are_made_fit_for_one_line() -> None:
    assert one_line("a\nb\x00" + "c" * 200) == ("a b " + "c" * 200)[:128]
    assert one_line(" \n") == "unnamed"
