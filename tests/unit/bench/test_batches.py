from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from bench.load.batches import Batches
from bench.load.requests import PreparedLines

ANSWER = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    b'2a\r\n{"line":1,"status":201}\n{"line":2,"status":422}\n\r\n15\r\n{"line":3,"status":201}\n\r\n0\r\n\r\n'
)


@pytest.mark.parametrize("cut", range(len(ANSWER) + 1))
async def test_answers_are_counted_wherever_the_stream_is_cut(cut: int) -> None:
    batches = Batches([urlsplit("http://127.0.0.1:1/")], "key", PreparedLines("run"))
    reader = asyncio.StreamReader()
    reading = asyncio.create_task(batches.read(reader))
    reader.feed_data(ANSWER[:cut])
    await asyncio.sleep(0)
    reader.feed_data(ANSWER[cut:])
    await reading
    assert batches.answers == {"accepted": 2, "refused": 1}


async def test_a_stream_that_ends_early_is_lost() -> None:
    batches = Batches([urlsplit("http://127.0.0.1:1/")], "key", PreparedLines("run"))
    reader = asyncio.StreamReader()
    reader.feed_data(ANSWER[:90])
    reader.feed_eof()
    await batches.read(reader)
    assert batches.answers["lost"] == 1
