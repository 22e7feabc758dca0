"""Random requests for properties of policies: few names and values, so that conditions often meet them."""

from __future__ import annotations

from hypothesis import strategies as st

from services.sla_timer.domain.facts import Facts
from shared.contracts.payload import AttributeValue, CustomerTier, Market, Priority, RequestKind
from shared.rules.facts import STANDARD_FACTS

numbers = st.integers(-3, 3).map(float)
VALUES: st.SearchStrategy[AttributeValue] = st.one_of(
    st.booleans(), st.integers(-3, 3), numbers, st.sampled_from(["app", "motor", "2", "2.5", "true", "KLN-3"])
)
NAMES = st.sampled_from([*STANDARD_FACTS, "amount", "branch"])
ATTRIBUTES = st.dictionaries(st.sampled_from(["amount", "branch"]), VALUES)


def facts() -> st.SearchStrategy[Facts]:
    return st.builds(
        Facts,
        kind=st.sampled_from([kind.value for kind in RequestKind]),
        market=st.sampled_from([market.value for market in Market]),
        channel=st.sampled_from(["app", "mail"]),
        priority=st.sampled_from([priority.value for priority in Priority]),
        customer_tier=st.sampled_from([tier.value for tier in CustomerTier]),
        product_line=st.none() | st.sampled_from(["motor", "2"]),
        attributes=ATTRIBUTES,
    )
