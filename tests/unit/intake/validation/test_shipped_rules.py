"""The rules that are shipped: what they refuse, what they doubt, and that they let the traffic in that there is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
import yaml

import punctual.replay
from bench.load.requests import submission
from punctual.demo.catalogue import CHANNELS, KINDS, LINES, attributes, draw
from services.intake.domain.validation.facts import SubmittedFacts
from shared.contracts.payload import AttributeValue, CustomerTier, Market, Priority, RequestKind
from tests.unit.intake.validation.shipped import BOOK, SUBMITTED_AT, codes, facts, found

MAPS = sorted((Path(punctual.replay.__file__).parent / "maps").glob("*.yml"))

REFUSED = [
    ({"amount": "12k"}, "sums_are_numbers"),
    ({"amount": -1}, "sums_are_not_negative"),
    ({"sum_insured": -0.01}, "sum_insured_is_not_negative"),
    ({"premium": -5}, "premium_is_not_negative"),
    ({"incident_date": "22.11.2026"}, "dates_are_dates"),
    ({"incident_date": "2026-11-24"}, "incident_is_not_to_come"),
    ({"policy_from": "2026-05-02", "policy_to": "2026-05-01"}, "policy_ends_after_it_begins"),
    ({"age": "forty"}, "age_is_in_years"),
    ({"age": -1}, "age_is_not_negative"),
    ({"birth_date": "1990-02-28"}, "personal_attribute"),
]
DOUBTED = [
    ({"amount": 2_000_000_000}, "amount_is_not_gigantic"),
    ({"currency": "hkd"}, "currency_has_three_letters"),
    ({"has_photos": "true"}, "photos_are_true_or_false"),
    ({"incident_date": "2026-11-23"}, "incident_is_past"),
    ({"incident_date": "2023-11-21"}, "incident_is_recent"),
    ({"age": 121}, "lives_long"),
    ({"policy_from": "2026-01-01", "incident_date": "2025-12-31"}, "policy_was_in_force"),
    ({"policy_to": "2026-10-01", "incident_date": "2026-10-02"}, "policy_was_in_force"),
    ({"amount": 5001, "sum_insured": 5000}, "claim_within_sum_insured"),
]
FINE: dict[str, AttributeValue] = {
    "amount": 5000,
    "sum_insured": 5000,
    "premium": 0,
    "currency": "HKD",
    "has_photos": True,
    "incident_date": "2026-11-22",
    "policy_from": "2026-11-22",
    "policy_to": "9999-12-31",
    "age": 120,
}


@pytest.mark.parametrize(("values", "code"), REFUSED)
def test_what_cannot_be_true_is_refused(values: dict[str, AttributeValue], code: str) -> None:
    assert code in [finding.rule for finding in found(BOOK, facts(values)) if finding.severity == "refuse"]


@pytest.mark.parametrize(("values", "code"), DOUBTED)
def test_what_is_implausible_is_doubted(values: dict[str, AttributeValue], code: str) -> None:
    assert [(finding.rule, finding.severity) for finding in found(BOOK, facts(values))] == [(code, "doubt")]


def test_nothing_is_said_of_a_request_that_is_right_to_the_edge() -> None:
    assert codes(BOOK, facts(FINE)) == []
    assert codes(BOOK, facts({"incident_date": "2023-11-22"})) == []  # three years to the day


def test_a_life_claim_may_be_old_and_an_application_has_no_incident() -> None:
    assert codes(BOOK, facts({"incident_date": "2010-01-01"}, line="life")) == []
    assert codes(BOOK, facts({"incident_date": "2026-01-01"}, kind="underwriting")) == ["application_without_incident"]


def test_each_shipped_rule_has_an_example_here() -> None:
    shipped = {rule.code for schema in BOOK.schemas for rule in schema.rules}
    without_rule = {"personal_attribute"}
    assert shipped == {code for _, code in REFUSED + DOUBTED} - without_rule | {"application_without_incident"}


def test_what_the_demonstration_sends_is_taken_without_a_doubt() -> None:
    random = Random(2026)
    for _ in range(2_000):
        kind, line, market = draw(random, KINDS), draw(random, LINES), random.choice(list(Market))
        about = SubmittedFacts(
            kind,
            market,
            draw(random, CHANNELS),
            product_line=line,
            attributes=attributes(random, kind, line, market),
        )
        assert found(BOOK, about) == ()


def test_what_the_load_generator_sends_is_taken_without_a_doubt() -> None:
    for turn in range(30):
        body = submission(turn)
        about = SubmittedFacts(
            RequestKind(body["kind"]),
            Market(body["market"]),
            "app",
            Priority(body["priority"]),
            CustomerTier(body["customer"]["tier"]),
            body["product_line"],
            body["attributes"],
        )
        assert found(BOOK, about) == ()


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_what_a_map_of_a_log_sends_is_never_refused_for_its_type(path: Path) -> None:
    """A map makes a code of a column, unless it says ``as: number``."""
    request = yaml.safe_load(path.read_text(encoding="utf-8"))["request"]
    columns = request.get("attributes", {})
    values: dict[str, AttributeValue] = {
        name: 600 if isinstance(column, dict) and column.get("as") == "number" else "Value-1"
        for name, column in columns.items()
    }
    assert codes(BOOK, facts(values, kind=request["kind"], market=request["market"])) == []


def test_a_request_that_is_delivered_late_is_judged_by_when_it_was_submitted() -> None:
    assert codes(BOOK, facts({"incident_date": "2026-11-22"}), SUBMITTED_AT - timedelta(days=1)) == ["incident_is_past"]
