"""docs/howto/validate-at-the-door.md: its examples can be used, and its tables leave nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from services.intake.domain.validation.linting import find_remarks, rule_lines
from services.intake.domain.validation.reading import read_validation
from services.intake.domain.validation.rule_reading import CHECKS
from services.intake.domain.validation.values import ValueType
from shared.contracts.payload import AttributeValue
from tests.unit.intake.validation.shipped import BOOK, HEAD, codes, facts

PAGE = (Path(__file__).parents[4] / "docs" / "howto" / "validate-at-the-door.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
TEXT = HEAD + "\n".join(EXAMPLES)
EXAMPLE = read_validation(TEXT, "validate-at-the-door.md")


def named_in(table: str) -> set[str]:
    """The words in backticks in the first column of the table with this heading."""
    rows = PAGE.split(f"| {table} |")[1].split("\n\n")[0]
    return {word for row in re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE) for word in re.findall(r"`(\w+)`", row)}


def test_the_examples_are_one_file_about_which_nothing_is_odd() -> None:
    assert find_remarks(EXAMPLE, rule_lines(TEXT, "page"), "page") == []


def test_the_limits_on_the_page_are_those_that_are_shipped() -> None:
    assert (EXAMPLE.duplicates, EXAMPLE.plausibility, EXAMPLE.streams) == (
        BOOK.duplicates,
        BOOK.plausibility,
        BOOK.streams,
    )


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"amount": "much"}, "dates_are_dates"),
        ({"amount": 5000}, "needs_a_workshop"),
        ({"flight_number": "CX100"}, "no_flight"),
        ({"plate": "1234"}, "plate_is_a_plate"),
        ({"cover": "third_party", "amount": 3_000_000, "workshop": "W"}, "sum_fits_the_cover"),
        ({"policy_from": "2026-06-01", "incident_date": "2026-05-01"}, "policy_was_in_force"),
        ({"incident_date": "2024-11-21"}, "incident_is_recent"),
        ({"amount": 200, "sum_insured": 100}, "claim_within_sum_insured"),
    ],
)
def test_every_rule_of_the_example_finds_what_it_says(attributes: dict[str, AttributeValue], code: str) -> None:
    assert codes(EXAMPLE, facts(attributes)) == [code]
    assert code in {rule.code for schema in EXAMPLE.schemas for rule in schema.rules}


def test_the_table_has_every_field_of_a_rule_and_every_type() -> None:
    assert named_in("field of a rule") == CHECKS.keys() | {"rule", "severity", "message", "when", "field"}
    assert named_in("type") == set(ValueType)


@pytest.mark.parametrize("section", ["duplicates", "plausibility", "streams"])
def test_the_tables_have_every_limit(section: str) -> None:
    (example,) = [yaml.safe_load(text)[section] for text in EXAMPLES if text.startswith(f"{section}:")]
    table = PAGE.split(f"```yaml\n{section}:")[1].split("| field |")[1].split("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))))
    assert named == example.keys() - {"weights"}
