"""Patterns of conditions: which are taken, and that those answer quickly."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla_timer.domain.facts import Facts
from shared.rules.conditions import LONGEST_TEXT, Like
from shared.rules.patterns import LONGEST_PATTERN, read_pattern


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("KLN-.*", "KLN-1", "HK-1"),
        (r"(KLN|HK)-\d{3}", "HK-123", "HK-1234"),
        ("[A-Z]{2,4}/[0-9]+", "ABC/77", "A/77"),
        (r"(\d{2}-)*x?", "12-34-x", "12-3-"),
        ("(?i)kln(?:-east)?", "KLN-EAST", "KLN-WEST"),
        ("[]a-]+", "a]-", "b"),
        (r"[^\]]{,3}?", "abc", "a]c"),
        ("a{", "a{", "aa"),
        ("a*+b", "aab", "aac"),
    ],
)
def test_a_pattern_means_what_it_means_elsewhere(pattern: str, matching: str, other: str) -> None:
    assert read_pattern(pattern).fullmatch(matching)
    assert not read_pattern(pattern).fullmatch(other)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a|aa)+b",
        "(.*,)*x",
        "(a?){2,}b",
        ".*.*.*.*x",
        "a?" * 30 + "a" * 30,
        "(a|a)" * 30 + "b",
        "((a?){8}){8}b",
    ],
)
def test_a_pattern_that_could_go_on_for_years_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="in too many ways"):
        read_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "is not a regular expression: missing \\)"),
        (")", "is not a regular expression: unbalanced"),
        ("a)b", "is not a regular expression: unbalanced"),
        ("[a", "is not a regular expression: unterminated"),
        ("\\", "is not a regular expression: bad escape"),
        ("a**", "is not a regular expression: multiple repeat"),
        ("a{1,99999999999999999999}", "is not a regular expression"),
        ("[[a]", "inside \\[...\\] write a backslash before \\["),
        ("[a&&b]", "inside \\[...\\] write a backslash before &"),
        ("(?P<branch>a)", "has only the groups"),
        ("(?=a)", "has only the groups"),
        ("(?<!a)b", "has only the groups"),
        ("a(?i)", "has only the groups"),
        (r"(a)\1", "refers to no group"),
        ("a" * (LONGEST_PATTERN + 1), "at most 200 characters"),
    ],
)
def test_what_is_no_pattern_or_more_than_one_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_pattern(pattern)


@given(st.text("ab|()[]{}?*+,.0123\\^-", max_size=30), st.text("ab,", max_size=LONGEST_TEXT))
def test_whatever_is_taken_answers(pattern: str, text: str) -> None:
    try:
        taken = read_pattern(pattern)
    except ValueError:
        return
    assert taken.fullmatch(text) is None or re.compile(pattern).fullmatch(text)


@pytest.mark.parametrize("pattern", [".*.*.*x", "((a?){4}){4}b", "(a|b|.){11}x"])
def test_the_slowest_patterns_that_are_taken_answer_too(pattern: str) -> None:
    assert read_pattern(pattern).fullmatch("a" * LONGEST_TEXT) is None


def test_a_fact_longer_than_any_word_matches_no_pattern() -> None:
    like = Like("amount", read_pattern("1.*"))
    assert like.holds(Facts("claim", "HK", "app", "normal", "gold", attributes={"amount": 10 ** (LONGEST_TEXT - 1)}))
    assert not like.holds(Facts("claim", "HK", "app", "normal", "gold", attributes={"amount": 10**LONGEST_TEXT}))
