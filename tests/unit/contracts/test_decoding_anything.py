"""Whatever lies on a topic, decoding gives an event or a reason, and the reason can be sent as a dead letter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import decode, encode
from shared.contracts.topics import TOPICS, Topic
from shared.errors import Rejected
from shared.inbox.deadletters import dead_letter, replay_target
from shared.inbox.received import Rejection
from shared.kafka.records import Record

NAMES = st.sampled_from(
    [
        "ce_specversion",
        "ce_id",
        "ce_type",
        "ce_source",
        "ce_subject",
        "ce_time",
        "ce_sequence",
        "ce_recordedat",
        "ce_correlationid",
        "ce_traceparent",
        "ce_author",
        "ce_cause",
        "traceparent",
        "punctual-replay-of",
        "punctual-replay-for",
        "other",
    ]
)
VALUES = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"1.0",
            b"0001-01-01T00:00:00+23:00",
            b"9" * 5000,
            b"-1",
            b"0",
            b"1",
            b"punctual.request.paused.v1",
            b"punctual.request.paused.v" + b"9" * 5000,
            "punctual.request.paused.v²".encode(),
            b"\x00",
            b"a\nb",
        ]
    ),
)
PAYLOADS = st.one_of(st.none(), st.binary(max_size=60), st.just(b'{"request_id": "x", "reason": "\\u0000"}'))


@given(
    st.one_of(st.none(), st.binary(max_size=40)), PAYLOADS, st.lists(st.tuples(NAMES, VALUES)), st.sampled_from(TOPICS)
)
def test_any_record_is_decoded_or_rejected_and_its_dead_letter_can_be_read(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, Any]], topic: Topic
) -> None:
    record = Record(topic.name, 0, 0, key, value, tuple(headers))
    replay_target(record)
    try:
        decode(record.key, record.value, record.headers)
    except Rejected as error:
        letter = dead_letter("example", Rejection(record, error.reason, error.detail), datetime(2026, 3, 2, tzinfo=UTC))
        assert decode(*encode(letter)) == letter
