"""Parcels give back what was put in, in order per key, and stay within their bounds."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.records import OutgoingRecord
from shared.outbox.parcels import MOST_BYTES, MOST_RECORDS, SHARDS, EncodedRecord, Parcel, pack, unpack

TEXTS = st.binary(max_size=8).map(lambda text: text.replace(b"\0", b" "))
HEADERS = st.one_of(
    st.just(()),
    st.tuples(st.tuples(st.just("ce_id"), TEXTS)),
    st.tuples(st.tuples(st.just("ce_id"), TEXTS), st.tuples(st.just("ce_type"), TEXTS)),
)
RECORDS = st.lists(st.tuples(st.binary(max_size=3), st.one_of(st.none(), st.binary(max_size=20)), HEADERS), max_size=60)


def unpacked(parcel: Parcel) -> list[OutgoingRecord]:
    return unpack("topic", parcel.header_names, parcel.packed_lengths, parcel.body)


def by_key(records: list[OutgoingRecord]) -> dict[bytes, list[OutgoingRecord]]:
    found: dict[bytes, list[OutgoingRecord]] = defaultdict(list)
    for record in records:
        found[record.key].append(record)
    return found


@given(RECORDS)
def test_what_was_packed_comes_back_in_order_per_key(records: list[EncodedRecord]) -> None:
    back = [record for parcel in pack(records) for record in unpacked(parcel)]

    assert by_key(back) == by_key([OutgoingRecord("topic", *record) for record in records])


@given(RECORDS)
def test_a_key_always_lies_in_one_shard(records: list[EncodedRecord]) -> None:
    shards = defaultdict(set)
    for parcel in pack(records):
        for record in unpacked(parcel):
            shards[record.key].add(parcel.shard)

    assert all(len(found) == 1 and found <= set(range(SHARDS)) for found in shards.values())


def test_a_parcel_holds_no_more_records_than_its_bound() -> None:
    parcels = pack([(b"key", b"value", ())] * (2 * MOST_RECORDS + 1))

    assert [parcel.records for parcel in parcels] == [MOST_RECORDS, MOST_RECORDS, 1]


def test_a_parcel_is_closed_once_it_is_large_and_takes_a_larger_record_all_the_same() -> None:
    parcels = pack([(b"key", b"v" * size, ()) for size in (1, MOST_BYTES, MOST_BYTES * 3, 1)])

    assert [parcel.records for parcel in parcels] == [2, 1, 1]


def test_a_zero_byte_in_a_header_is_refused() -> None:
    with pytest.raises(ValueError, match="zero byte"):
        pack([(b"key", b"value", (("ce_id", b"a\0b"),))])
