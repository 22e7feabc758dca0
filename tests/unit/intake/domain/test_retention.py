from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.retention import RetentionRules, read_retention
from shared.contracts.payload import RequestKind
from shared.rules.document import InvalidDocument
from tests.unit.intake.shipped import DATA

END = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RULES = RetentionRules({kind: timedelta(days=100 * number) for number, kind in enumerate(RequestKind, start=1)})
GOOD = 'format: "1"\nkeep: {claim: 7d, policy_service: 6d, underwriting: 5d, complaint: 4d, enquiry: 3d}\n'

_DAYS = st.integers(min_value=0, max_value=50_000)
ends = st.dictionaries(st.sampled_from(RequestKind), st.none() | _DAYS.map(lambda days: END + timedelta(days=days)))


def test_the_longest_of_all_requests_counts() -> None:
    assert RULES.until({RequestKind.CLAIM: END}) == END + timedelta(days=100)
    later = {RequestKind.CLAIM: END, RequestKind.UNDERWRITING: END - timedelta(days=150)}
    assert RULES.until(later) == END + timedelta(days=150)


def test_who_has_an_open_request_or_none_is_kept() -> None:
    assert RULES.until({RequestKind.CLAIM: END, RequestKind.ENQUIRY: None}) is None
    assert RULES.until({}) is None


@given(ends)
def test_nobody_is_erased_before_each_of_their_requests_was_kept_long_enough(
    by_kind: dict[RequestKind, datetime | None],
) -> None:
    until = RULES.until(by_kind)

    assert (until is None) == (not by_kind or None in by_kind.values())
    assert until is None or all(at is not None and at + RULES.keep[kind] <= until for kind, at in by_kind.items())
    assert until is None or any(at is not None and at + RULES.keep[kind] == until for kind, at in by_kind.items())


def test_the_shipped_rules_keep_every_kind_for_a_year_at_least() -> None:
    rules = read_retention((DATA / "retention.yml").read_text(encoding="utf-8"), "retention.yml")

    assert set(rules.keep) == set(RequestKind)
    assert rules.shortest >= timedelta(days=365)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD.replace('"1"', '"2"'), "retention.yml, line 1, format: this program reads format 1"),
        (GOOD.replace(", enquiry: 3d", ""), "retention.yml, line 2, keep: enquiry is missing"),
        (GOOD.replace("enquiry", "lottery"), "keep.lottery: is not a known name here"),
        (GOOD.replace("3d", "soon"), "keep.enquiry: 'soon' is not a span"),
        ("", "is empty"),
        ("keep: [", "is not YAML"),
    ],
)
def test_wrong_rules_are_refused_with_file_line_and_field(text: str, complaint: str) -> None:
    with pytest.raises(InvalidDocument, match=r"retention\.yml") as refused:
        read_retention(text, "retention.yml")
    assert complaint in str(refused.value)
