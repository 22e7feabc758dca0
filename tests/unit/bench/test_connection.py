from __future__ import annotations

import asyncio

import pytest

from bench.load.connection import BrokenAnswer, Connection, content_length


class Wire(asyncio.Transport):
    """The other end of the connection: what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))


class Client:
    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.lost = 0
        self.connection = Connection(self.on_answer, self.on_lost)
        self.wire = Wire()
        self.connection.connection_made(self.wire)

    def on_answer(self, _: Connection, status: int, body: bytes) -> None:
        self.answers.append((status, body))

    def on_lost(self, _: Connection) -> None:
        self.lost += 1


ANSWER = b"HTTP/1.1 201 Created\r\ndate: today\r\nContent-Length: 4\r\n\r\nbody"


def test_an_answer_in_one_piece_is_read() -> None:
    client = Client()

    client.connection.data_received(ANSWER)

    assert client.answers == [(201, b"body")]


@pytest.mark.parametrize("cut", range(1, len(ANSWER)))
def test_an_answer_in_two_pieces_is_read_wherever_it_is_cut(cut: int) -> None:
    client = Client()

    client.connection.data_received(ANSWER[:cut])
    assert client.answers == []
    client.connection.data_received(ANSWER[cut:])

    assert client.answers == [(201, b"body")]


def test_the_connection_serves_one_answer_after_the_other() -> None:
    client = Client()

    for _ in range(3):
        client.connection.data_received(ANSWER)

    assert client.answers == [(201, b"body")] * 3


def test_an_answer_without_a_body_is_read() -> None:
    client = Client()

    client.connection.data_received(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")

    assert client.answers == [(503, b"")]


def test_a_request_is_written_as_it_is() -> None:
    client = Client()

    client.connection.send(b"POST / HTTP/1.1\r\n\r\n")

    assert client.wire.written == [b"POST / HTTP/1.1\r\n\r\n"]


def test_the_end_of_the_connection_is_told() -> None:
    client = Client()

    client.connection.connection_lost(None)

    assert client.lost == 1


def test_an_answer_of_unknown_length_is_refused() -> None:
    with pytest.raises(BrokenAnswer):
        content_length(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
