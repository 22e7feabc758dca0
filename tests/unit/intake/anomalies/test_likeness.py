"""Likely duplicates: the score, the reasons, the decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.anomalies.likeness import REASONS, Decision, Portrait, compare, find_duplicates
from services.intake.domain.anomalies.limits import Trait
from services.intake.domain.anomalies.signatures import sign
from tests.unit.intake.validation.shipped import BOOK

LIMITS = BOOK.duplicates
SECRET = b"a secret for the tests"
AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
TEXT = "後保險桿被撞，對方已留下電話，車廠報價隨附，請盡快回覆。"
OTHER_TEXT = "颱風後天花板漏水，木地板損壞，請派人查看，多謝。"


def portrait(text: str | None = TEXT, **values: object) -> Portrait:
    whole = Portrait("app", "c-1", "claim", "motor", AT, "APP-1", "P00000001", 12_800.0)
    signed = replace(whole, signature=None if text is None else sign(text, SECRET))
    return replace(signed, **values)  # type: ignore[arg-type]


PORTRAITS = st.builds(
    Portrait,
    st.sampled_from(["app", "web"]),
    st.sampled_from(["c-1", "c-2"]),
    st.sampled_from(["claim", "enquiry"]),
    st.sampled_from(["motor", "life", None]),
    st.integers(0, 30 * 86_400).map(lambda seconds: AT + timedelta(seconds=seconds)),
    st.sampled_from(["APP-1", "app1", "APP-2", "-", None]),
    st.sampled_from(["P1", "P-1", "P2", None]),
    st.none() | st.floats(-1e15, 1e15),
    st.sampled_from([None, *(sign(text, SECRET) for text in ("", "ok", TEXT, OTHER_TEXT))]),
)


@given(one=PORTRAITS, other=PORTRAITS)
def test_a_score_is_symmetric_and_lies_between_0_and_1(one: Portrait, other: Portrait) -> None:
    likeness = compare(one, other, LIMITS)
    assert 0 <= likeness.score <= 1
    assert likeness.score == compare(other, one, LIMITS).score
    assert set(likeness.reasons) <= set(REASONS.values())


@given(one=PORTRAITS)
def test_a_request_is_wholly_like_itself(one: Portrait) -> None:
    likeness = compare(one, one, LIMITS)
    assert likeness.score == 1.0
    assert likeness.decision is not Decision.NO


@given(one=PORTRAITS, other=PORTRAITS)
def test_what_becomes_more_alike_never_scores_less(one: Portrait, other: Portrait) -> None:
    before = compare(one, other, LIMITS).score
    for nearer in (
        replace(other, kind=one.kind, product_line=one.product_line),
        replace(other, submitted_at=one.submitted_at),
        replace(other, policy_number=one.policy_number) if other.policy_number and one.policy_number else other,
    ):
        assert compare(one, nearer, LIMITS).score >= before


def test_what_was_sent_twice_within_minutes_is_likely() -> None:
    again = portrait(submitted_at=AT + timedelta(minutes=10), external_id="APP-2")
    likeness = compare(portrait(), again, LIMITS)
    assert likeness.decision is Decision.LIKELY
    assert likeness.reasons[0] == "similar_text"
    assert "same_external_id" not in likeness.reasons


def test_the_same_claim_on_another_channel_is_likely() -> None:
    """The customer has another id there, and the channel another id of the request."""
    call = portrait(
        "後保險桿被撞，對方已留下電話，車廠報價附上，請盡快回覆。",
        channel="hotline",
        customer="c-77",
        external_id="7781",
        submitted_at=AT + timedelta(days=1),
    )
    likeness = compare(portrait(), call, LIMITS)
    assert likeness.decision is Decision.LIKELY
    assert "same_policy_number" in likeness.reasons
    assert "same_customer" not in likeness.reasons


def test_the_same_id_of_the_channel_is_nearly_proof() -> None:
    again = portrait("補交收據，請見附件，謝謝你們的幫忙。", amount=None, submitted_at=AT + timedelta(days=2))
    assert compare(portrait(amount=None), again, LIMITS).decision is Decision.LIKELY


@pytest.mark.parametrize(
    "other",
    [
        portrait(OTHER_TEXT, policy_number="P00000002", external_id="APP-9", amount=900.0),
        portrait(customer="c-2", policy_number="P00000002", external_id="APP-9"),
        portrait(None, kind="enquiry", external_id="APP-9", amount=None, submitted_at=AT + timedelta(days=13)),
    ],
    ids=["another claim of the customer", "a template text of another customer", "a question about the policy"],
)
def test_another_request_is_not_likely(other: Portrait) -> None:
    assert compare(portrait(), other, LIMITS).decision is not Decision.LIKELY


def test_little_evidence_is_never_likely() -> None:
    bare = Portrait("app", "c-1", "claim", None, AT)
    likeness = compare(bare, bare, LIMITS)
    assert (likeness.score, likeness.decision) == (1.0, Decision.POSSIBLE)


def test_a_text_too_short_says_nothing() -> None:
    bare = portrait(None)
    assert compare(portrait("ok"), portrait("no"), LIMITS) == compare(bare, bare, LIMITS)


def test_reasons_come_with_the_most_points_first() -> None:
    points = {REASONS[trait]: weight.same for trait, weight in LIMITS.weights.items()}
    reasons = compare(portrait(), portrait(), LIMITS).reasons
    assert [points[reason] for reason in reasons] == sorted(points.values(), reverse=True)
    assert REASONS.keys() == set(Trait)


def test_the_likest_come_first_and_unlike_ones_not_at_all() -> None:
    recent = [
        ("far", portrait(OTHER_TEXT, customer="c-2", kind="enquiry", policy_number="P9", external_id="X")),
        ("near", portrait(external_id="APP-2", submitted_at=AT - timedelta(days=1))),
        ("same", portrait()),
    ]
    assert [duplicate.request_id for duplicate in find_duplicates(portrait(), recent, LIMITS)] == ["same", "near"]


def test_a_signature_is_kept_out_of_texts() -> None:
    assert "signature" not in repr(portrait())
