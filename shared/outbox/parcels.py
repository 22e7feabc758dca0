"""A parcel: records that lie in one row of the outbox. Packing and unpacking are pure."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shared.kafka.records import Headers, OutgoingRecord

SHARDS = 2  # one publishes while the other waits for Postgres; more only make smaller parcels

MOST_RECORDS = 1000
MOST_BYTES = 1_000_000
"""A parcel is closed when it has so much; a single record may be larger."""

EncodedRecord = tuple[bytes, bytes | None, Headers]
"""Key, value (None erases a compacted key) and headers."""

_BETWEEN = b"\0"  # no attribute of an event may hold it
_NONE = -1
_PIECES = 3


@dataclass(slots=True)
class Parcel:
    """Attributes:
    header_names: the same for all records.
    lengths: of the pieces; a tombstone's value has -1.
    pieces: per record its key, value and joined headers.
    """

    shard: int
    header_names: tuple[str, ...]
    lengths: list[int] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0

    @property
    def records(self) -> int:
        return len(self.lengths) // _PIECES

    @property
    def packed_lengths(self) -> bytes:
        return struct.pack(f">{len(self.lengths)}i", *self.lengths)

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


def pack(records: Iterable[EncodedRecord]) -> list[Parcel]:
    """Parcels in the order to be written: records of one key keep theirs.

    Raises:
        ValueError: a header holds a zero byte.
    """
    parcels: list[Parcel] = []
    filling: dict[int, Parcel] = {}
    for key, value, headers in records:
        names, joined = _joined(headers)
        shard = zlib.crc32(key) % SHARDS
        parcel = filling.get(shard)
        if (
            parcel is None
            or parcel.header_names != names
            or len(parcel.lengths) >= MOST_RECORDS * _PIECES
            or parcel.size >= MOST_BYTES
        ):
            parcel = filling[shard] = Parcel(shard, names)
            parcels.append(parcel)
        parcel.lengths += (len(key), _NONE if value is None else len(value), len(joined))
        parcel.pieces += (key, value or b"", joined)
        parcel.size += len(key) + len(value or b"") + len(joined)
    return parcels


def unpack(topic: str, header_names: Sequence[str], lengths: bytes, body: bytes) -> list[OutgoingRecord]:
    """The records of a parcel, in order."""
    records: list[OutgoingRecord] = []
    start = 0
    for key_length, value_length, headers_length in struct.iter_unpack(">iii", lengths):
        value_start = start + key_length
        headers_start = value_start + max(0, value_length)
        end = headers_start + headers_length
        records.append(
            OutgoingRecord(
                topic,
                body[start:value_start],
                None if value_length == _NONE else body[value_start:headers_start],
                tuple(zip(header_names, body[headers_start:end].split(_BETWEEN))) if header_names else (),  # noqa: B905
            )
        )
        start = end
    return records


def _joined(headers: Headers) -> tuple[tuple[str, ...], bytes]:
    if not headers:
        return (), b""
    names, texts = zip(*headers, strict=True)
    joined = _BETWEEN.join(texts)
    if joined.count(_BETWEEN) != len(names) - 1:
        raise ValueError("a header holds a zero byte")
    return names, joined
