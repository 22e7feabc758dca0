"""One append-only file of records. What was acknowledged survives the end of the process and of the machine.

Layout of a record: magic, length of the head, length of the body, CRC-32 of both (big endian, 4 bytes each), then
head and body.
"""

from __future__ import annotations

import asyncio
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_PREFIX = struct.Struct(">4sIII")
_MAGIC = b"PMJ1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies in the file; ``generation`` counts how often the file was cleared before."""

    generation: int
    offset: int
    head_length: int
    body_length: int


@dataclass(slots=True)
class _Waiting:
    head: bytes
    body: bytes
    place: asyncio.Future[Place]


class Journal:
    """Appends are grouped: those that arrive while the disk is busy share the next sync."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)  # the file's own name must survive too
        os.close(folder)
        self._end = 0
        self._generation = 0
        self._waiting: list[_Waiting] = []
        self._disk = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None

    def recover(self) -> Iterator[tuple[bytes, Place]]:
        """Every whole record from the first. A torn end, which was never acknowledged, is cut off."""
        size = os.fstat(self._descriptor).st_size
        while (found := self._record_at(self._end, size)) is not None:
            head, place = found
            self._end = place.offset + _PREFIX.size + place.head_length + place.body_length
            yield head, place
        os.ftruncate(self._descriptor, self._end)

    async def append(self, head: bytes, body: bytes) -> Place:
        """Return once the record is on disk.

        Raises:
            OSError: it could not be written; the file is as it was.
        """
        place: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(head, body, place))
        if self._writer is None or self._writer.done():
            # A task of its own: a client that goes away must not end a write that others wait for.
            self._writer = asyncio.create_task(self._write_waiting())
        return await place

    async def clear(self, head: bytes) -> None:
        """Forget every record but a new one that says so."""
        async with self._disk:
            os.ftruncate(self._descriptor, 0)
            self._end = 0
            self._generation += 1
        await self.append(head, b"")

    def holds(self, place: Place) -> bool:
        """Whether the record is still there."""
        return place.generation == self._generation

    def head(self, place: Place) -> bytes:
        return os.pread(self._descriptor, place.head_length, place.offset + _PREFIX.size)

    def body(self, place: Place) -> bytes:
        return os.pread(self._descriptor, place.body_length, place.offset + _PREFIX.size + place.head_length)

    def close(self) -> None:
        os.close(self._descriptor)

    async def _write_waiting(self) -> None:
        while self._waiting:
            async with self._disk:
                batch, self._waiting = self._waiting, []
                try:
                    places = await asyncio.to_thread(self._write, batch)
                except OSError as error:
                    for waiting in batch:
                        if not waiting.place.done():
                            waiting.place.set_exception(error)
                    continue
            for waiting, place in zip(batch, places, strict=True):
                if not waiting.place.done():
                    waiting.place.set_result(place)

    def _write(self, batch: Sequence[_Waiting]) -> list[Place]:
        offset = self._end
        places = []
        try:
            for waiting in batch:
                crc = zlib.crc32(waiting.body, zlib.crc32(waiting.head))
                record = _PREFIX.pack(_MAGIC, len(waiting.head), len(waiting.body), crc) + waiting.head + waiting.body
                places.append(Place(self._generation, offset, len(waiting.head), len(waiting.body)))
                offset += _write_all(self._descriptor, record, offset)
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._end)
            raise
        self._end = offset
        return places

    def _record_at(self, offset: int, size: int) -> tuple[bytes, Place] | None:
        prefix = os.pread(self._descriptor, _PREFIX.size, offset)
        if len(prefix) < _PREFIX.size:
            return None
        magic, head_length, body_length, crc = _PREFIX.unpack(prefix)
        if magic != _MAGIC or offset + _PREFIX.size + head_length + body_length > size:
            return None
        place = Place(self._generation, offset, head_length, body_length)
        head = self.head(place)
        return (head, place) if zlib.crc32(self.body(place), zlib.crc32(head)) == crc else None


def _write_all(descriptor: int, data: bytes, offset: int) -> int:
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], offset + written)
    return written
