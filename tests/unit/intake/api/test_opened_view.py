"""The view of a request that has just come is written in a way of its own, and says what the usual way says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.intake.api.opened_view import write_opened
from services.intake.api.views import view_request
from services.intake.domain.doubts import Doubted
from services.intake.domain.record import open_record
from services.intake.domain.submission import Contact, Submission
from shared.contracts.payload import CustomerTier, Language, Market, Priority, RequestKind
from shared.ids import new_id, new_reference, new_token
from tests.unit.intake.shipped import process_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CODES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,20}", fullmatch=True)
VALUES = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e15, 1e15) | CODES
DOUBTS = st.builds(
    Doubted,
    st.dictionaries(CODES, st.lists(CODES, max_size=2).map(tuple), min_size=1, max_size=3),
    st.lists(st.uuids(), max_size=2).map(tuple),
)
KNOWN = st.sampled_from(["policy_number", "incident_date", "amount"])  # processes ask for some of these
LATE = st.integers(-300_000_000, 300_000_000).map(lambda span: NOW + timedelta(microseconds=span))


@st.composite
def submissions(draw: st.DrawFn) -> Submission:
    kind = draw(st.sampled_from(RequestKind))
    line = draw(st.sampled_from([None, "motor", "health", "life", "property", "travel", "marine"]))
    process = process_of(kind, line)
    given: dict[str, Any] = {
        "external_id": draw(st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)),
        "attributes": draw(st.dictionaries(KNOWN | CODES, VALUES, max_size=4)),
        "priority": draw(st.sampled_from(Priority)),
        "market": draw(st.sampled_from(Market)),
        "customer_tier": draw(st.sampled_from(CustomerTier)),
        "contact": Contact("C-1", "陳美玲", None, None, draw(st.sampled_from(Language))),
        "submitted_at": draw(LATE),
    }
    return Submission(
        request_id=new_id(),
        reference=new_reference(),
        status_token=new_token(),
        channel="app",
        kind=kind,
        process=process.code,
        process_version=process.version,
        stage=process.start,
        product_line=line,
        description=None,
        recorded_at=NOW,
        **given,
    )


@given(submissions(), st.none() | DOUBTS, st.sampled_from(["https://status.example", "https://status.example/"]))
def test_both_ways_of_writing_it_give_the_same_bytes(
    submission: Submission, doubted: Doubted | None, public_url: str
) -> None:
    record = open_record(submission, doubted)
    process = process_of(submission.kind, submission.product_line)
    usual = view_request(record, process, submission.recorded_at, public_url).model_dump_json()
    assert write_opened(record, process, public_url) == usual
