from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality_audit.domain.plan import LOWEST_RATE, Facts
from services.quality_audit.domain.plan_text import parse_plan
from services.quality_audit.settings import PLAN_OF_THE_HOUSE
from shared.contracts.payload import RequestKind

PLAN = parse_plan(PLAN_OF_THE_HOUSE.read_text(encoding="utf-8")).plan


def facts(
    kind: RequestKind = RequestKind.CLAIM,
    outcome: str = "paid",
    is_breached: bool | None = False,
    **attributes: float | str,
) -> Facts:
    return Facts(kind, outcome, is_breached, attributes)


@pytest.mark.parametrize(
    ("given_facts", "risk"),
    [
        (facts(), "ordinary"),
        (facts(is_breached=True), "breached"),
        (facts(is_breached=None), "ordinary"),
        (facts(outcome="declined"), "refused_or_withdrawn"),
        (facts(outcome="withdrawn"), "refused_or_withdrawn"),
        (facts(outcome="declined", is_breached=True), "breached"),
        (facts(amount=100_000), "high_amount"),
        (facts(amount=99_999.99), "ordinary"),
        (facts(amount=250_000, is_breached=True), "high_amount"),
        (facts(amount=10**400), "high_amount"),
        (facts(amount=-(10**400)), "ordinary"),
        (facts(amount="much"), "ordinary"),
        (facts(amount=True), "ordinary"),
    ],
)
def test_the_first_risk_that_fits_takes_the_request(given_facts: Facts, risk: str) -> None:
    assert PLAN.risk_of(given_facts).name == risk


@given(
    st.builds(
        Facts,
        st.sampled_from(RequestKind),
        st.sampled_from(["paid", "declined", "withdrawn", "never_heard_of"]),
        st.none() | st.booleans(),
        st.dictionaries(st.sampled_from(["amount", "other"]), st.integers() | st.booleans() | st.text()),
    )
)
def test_every_request_has_a_stratum_with_a_rate(given_facts: Facts) -> None:
    assert LOWEST_RATE <= PLAN.rate_of(PLAN.risk_of(given_facts), given_facts.kind) <= 1


def test_a_kind_can_have_its_own_rate() -> None:
    ordinary = PLAN.risk_of(facts())
    assert PLAN.rate_of(ordinary, RequestKind.COMPLAINT) > PLAN.rate_of(ordinary, RequestKind.ENQUIRY)


def test_the_plan_tells_which_attributes_it_reads() -> None:
    assert PLAN.attributes == {"amount"}
