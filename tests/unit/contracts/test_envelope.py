"""The event codec: what goes out comes back, the official CloudEvents reader agrees, bad input is named."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.documents import asyncapi_document
from shared.contracts.envelope import Event, Tombstone, decode, encode, format_instant
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestPaused
from shared.errors import Rejected
from tests.unit.contracts.payloads import any_event

REQUEST = UUID("01900000-0000-7000-8000-000000000001")

PAUSED: Event[Payload] = Event(
    id=UUID("01900000-0000-7000-8000-000000000002"),
    source="/punctual/intake",
    subject=REQUEST,
    sequence=3,
    occurred_at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    recorded_at=datetime(2026, 11, 22, 9, 30, 1, tzinfo=UTC),
    correlation_id="app-7",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    data=RequestPaused(request_id=REQUEST, reason="customer_documents"),
)


@given(any_event)
def test_every_event_survives_the_round_trip(event: Event[Payload]) -> None:
    assert decode(*encode(event)) == event


@given(any_event)
def test_the_official_cloudevents_reader_sees_the_same_event(event: Event[Payload]) -> None:
    key, value, headers = encode(event)

    read = from_binary_event(KafkaMessage(headers=dict(headers), key=key, value=value))

    assert read.get_specversion() == "1.0"
    assert read.get_id() == str(event.id)
    assert read.get_source() == event.source
    assert read.get_type() == event.data.event_type()
    assert read.get_subject() == str(event.subject)
    assert read.get_time() == event.occurred_at
    assert read.get_datacontenttype() == "application/json"
    assert read.get_extension("sequence") == str(event.sequence)
    assert read.get_extension("recordedat") == format_instant(event.recorded_at)
    assert read.get_extension("correlationid") == event.correlation_id
    assert read.get_extension("traceparent") == event.traceparent
    assert read.get_extension("author") == event.author
    assert read.get_extension("cause") == event.cause
    assert read.get_extension("partitionkey") == str(event.subject)
    assert read.get_data() == json.loads(value)


def test_the_headers_are_the_ones_the_asyncapi_document_promises() -> None:
    promised = asyncapi_document()["components"]["schemas"]["CloudEventHeaders"]

    assert [name for name, _ in encode(PAUSED)[2]] == promised["required"]
    written_by_somebody = replace(PAUSED, author="chan.mei", cause="entry:2")
    assert [name for name, _ in encode(written_by_somebody)[2]] == list(promised["properties"])


def test_an_instant_with_another_offset_is_written_in_utc() -> None:
    hong_kong = timezone(timedelta(hours=8))

    assert format_instant(datetime(2026, 11, 22, 17, 30, tzinfo=hong_kong)) == "2026-11-22T09:30:00.000000Z"


def test_an_empty_value_is_an_erasure() -> None:
    assert decode(str(REQUEST).encode(), None, ()) == Tombstone(REQUEST)


@pytest.mark.parametrize("key", [None, b"", b"not a uuid", b"\xff\xfe"])
def test_an_erasure_of_no_readable_key_is_rejected(key: bytes | None) -> None:
    with pytest.raises(Rejected) as refused:
        decode(key, None, ())
    assert refused.value.reason == "not_a_cloudevent"


def _changed(name: str, text: bytes | None) -> tuple[tuple[str, bytes], ...]:
    kept = tuple(header for header in encode(PAUSED)[2] if header[0] != name)
    return kept if text is None else (*kept, (name, text))


@pytest.mark.parametrize(
    ("header", "text", "reason"),
    [
        ("ce_specversion", None, "not_a_cloudevent"),
        ("ce_specversion", b"0.3", "not_a_cloudevent"),
        ("ce_id", b"7", "not_a_cloudevent"),
        ("ce_source", None, "not_a_cloudevent"),
        ("ce_subject", b"anybody", "not_a_cloudevent"),
        ("ce_time", b"yesterday", "not_a_cloudevent"),
        ("ce_time", b"2026-11-22T09:30:00", "not_a_cloudevent"),
        ("ce_sequence", b"first", "not_a_cloudevent"),
        ("ce_correlationid", b"\xff", "not_a_cloudevent"),
        ("ce_traceparent", None, "not_a_cloudevent"),
        ("ce_author", b"\xff", "not_a_cloudevent"),
        ("ce_cause", b"a\nb", "not_a_cloudevent"),
        ("ce_type", b"punctual.request.paused.v2", "newer_version"),
        ("ce_type", b"punctual.request.paused", "unknown_type"),
        ("ce_type", b"punctual.request.vanished.v1", "unknown_type"),
    ],
)
def test_a_wrong_attribute_is_rejected_with_its_reason(header: str, text: bytes | None, reason: str) -> None:
    key, value, _ = encode(PAUSED)

    with pytest.raises(Rejected) as refused:
        decode(key, value, _changed(header, text))
    assert refused.value.reason == reason


@given(st.binary(max_size=200))
def test_unreadable_bytes_are_rejected_and_never_crash(value: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        decode(b"k", value, encode(PAUSED)[2])
    assert refused.value.reason == "bad_payload"


@given(st.lists(st.tuples(st.sampled_from([name for name, _ in encode(PAUSED)[2]]), st.binary(max_size=40))))
def test_mangled_headers_are_rejected_or_read_and_never_crash(mangled: list[tuple[str, bytes]]) -> None:
    key, value, headers = encode(PAUSED)
    with suppress(Rejected):  # any other exception fails the test
        decode(key, value, [*headers, *mangled])


def test_a_rejection_names_the_field_but_repeats_no_value() -> None:
    secret = "prose that somebody wrote"
    value = json.dumps({"request_id": str(REQUEST), "reason": secret}).encode()

    with pytest.raises(Rejected) as refused:
        decode(None, value, encode(PAUSED)[2])
    assert "reason" in refused.value.detail
    assert secret not in str(refused.value)


def test_the_character_nul_is_refused_and_the_text_that_looks_like_its_escape_is_not() -> None:
    key, _, headers = encode(PAUSED)
    extra = '{"request_id": "%s", "reason": "x", "added_later": "%s"}'

    with pytest.raises(Rejected, match="NUL"):
        decode(key, (extra % (REQUEST, r"\u0000")).encode(), headers)
    with pytest.raises(Rejected, match="NUL"):
        decode(key, (extra % (REQUEST, r"\\\u0000")).encode(), headers)
    assert isinstance(decode(key, (extra % (REQUEST, r"\\u0000")).encode(), headers), Event)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("ce_id", b"{01900000-0000-7000-8000-000000000002}"),
        ("ce_subject", b"01900000000070008000000000000001"),
        ("ce_sequence", b"003"),
        ("ce_time", b"2026-11-22T17:30:00+08:00"),
        ("ce_recordedat", b"2026-11-22T09:30:01Z"),
    ],
)
def test_what_another_program_writes_differently_is_read_all_the_same(header: str, text: bytes) -> None:
    key, value, _ = encode(PAUSED)

    assert decode(key, value, _changed(header, text)) == PAUSED


def test_a_field_this_program_does_not_know_is_ignored() -> None:
    key, value, headers = encode(PAUSED)
    wider = json.dumps({**json.loads(value), "added_later": 1}).encode()

    assert decode(key, wider, headers) == PAUSED
