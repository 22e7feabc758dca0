"""Batches: so many connections, each sends its share of the lines as one call and reads the answers meanwhile.

Runs as a process of its own (`python -m bench.load.batches URLS KEY RUN CONNECTIONS LINES FIRST`) and prints one line
of JSON. Several URLs are one argument, with blanks between them.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from urllib.parse import SplitResult, urlsplit

import uvloop

from bench.load.requests import PreparedLines
from shared.clock import monotonic, real_now

_LINES_AT_A_TIME = 100
_READ_BYTES = 262_144
_ACCEPTED = b'"status":201'
_LAST_CHUNK = b"0\r"
_GIVE_UP_SECONDS = 300.0
_LEAST_RATE = 200  # lines/s; a stream of a million takes its time


@dataclass
class BatchOutcome:
    """What came of it.

    Attributes:
        began_at: before the first line was sent, real time.
        seconds: until the last answer was read.
        accepted: lines answered 201.
        answers: how often lines were accepted, and refused.
    """

    began_at: str = ""
    seconds: float = 0.0
    accepted: int = 0
    answers: dict[str, int] = field(default_factory=dict)


class Batches:
    def __init__(self, places: Sequence[SplitResult], key: str, lines: PreparedLines) -> None:
        self._places = places
        self._key = key
        self._lines = lines
        self.answers: Counter[str] = Counter()

    async def run(self, connections: int, count: int, first: int) -> BatchOutcome:
        share = count // connections
        places = [self._places[number % len(self._places)] for number in range(connections)]
        streams = [await asyncio.open_connection(place.hostname, place.port, limit=_READ_BYTES) for place in places]
        began_at, began = real_now(), monotonic()
        async with asyncio.timeout(max(_GIVE_UP_SECONDS, count / _LEAST_RATE)), asyncio.TaskGroup() as tasks:
            for number, (reader, writer) in enumerate(streams):
                tasks.create_task(self._send(places[number], writer, first + number * share, share))
                tasks.create_task(self.read(reader))
        seconds = monotonic() - began
        for _, writer in streams:
            writer.close()
        return BatchOutcome(began_at.isoformat(), seconds, self.answers["accepted"], dict(self.answers))

    async def _send(self, place: SplitResult, writer: asyncio.StreamWriter, first: int, count: int) -> None:
        head = {
            "Host": place.netloc,
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/x-ndjson",
            "Transfer-Encoding": "chunked",
        }
        fields = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        writer.write(f"POST {place.path} HTTP/1.1\r\n{fields}\r\n".encode())
        for start in range(first, first + count, _LINES_AT_A_TIME):
            numbers = range(start, min(start + _LINES_AT_A_TIME, first + count))
            piece = b"".join([self._lines.line(number) for number in numbers])
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Only counts: what begins with a brace is an answer, the rest belongs to HTTP."""
        rest = b""
        while True:
            received = await reader.read(_READ_BYTES)
            if not received:
                self.answers["lost"] += 1
                return
            *lines, rest = (rest + received).split(b"\n")
            for line in lines:
                if line.startswith(b"{"):
                    self.answers["accepted" if _ACCEPTED in line else "refused"] += 1
                elif line == _LAST_CHUNK:
                    return


def main(arguments: list[str]) -> None:
    urls, key, run, connections, count, first = arguments
    batches = Batches([urlsplit(url) for url in urls.split()], key, PreparedLines(run))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(batches.run(int(connections), int(count), int(first)))
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main(sys.argv[1:])
