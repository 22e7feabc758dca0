"""Mail relays: a real one that takes everything, and a scripted one that misbehaves at a chosen step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True, slots=True)
class Mail:
    recipients: tuple[str, ...]
    content: bytes


class CatchingRelay:
    """aiosmtpd in this loop; keeps every mail it said 250 to."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.port = 0

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        self.mails.append(Mail(tuple(envelope.rcpt_tos), envelope.content))
        return "250 2.0.0 taken"


@asynccontextmanager
async def catching_relay() -> AsyncIterator[CatchingRelay]:
    relay = CatchingRelay()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(relay, hostname="relay.test", loop=loop), "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        await server.wait_closed()


class Trick(Enum):
    """What a scripted relay does instead of replying. At the body, both come after the final dot was read."""

    HANG = auto()
    DROP = auto()
    DROP_IN_BODY = auto()
    REPLY_THEN_DROP = auto()
    DRIP = auto()


Reply = str | Trick


@dataclass
class ScriptedRelay:
    """Replies per step; a list is used up one connection or mail after the other, its last entry repeats.

    Attributes:
        bodies: every body that was read to its final dot.
        envelopes: of each of these, whom the relay had taken it for.
        begun: how often 354 was followed by at least one line.
        connections: how many were made.
    """

    banner: list[Reply] = field(default_factory=lambda: ["220 relay.test"])
    ehlo: list[Reply] = field(default_factory=lambda: ["250-relay.test\r\n250 ENHANCEDSTATUSCODES"])
    auth: list[Reply] = field(default_factory=lambda: ["235 2.7.0 welcome"])
    mail: list[Reply] = field(default_factory=lambda: ["250 2.1.0 fine"])
    rcpt: list[Reply] = field(default_factory=lambda: ["250 2.1.5 fine"])
    data: list[Reply] = field(default_factory=lambda: ["354 go on"])
    body: list[Reply] = field(default_factory=lambda: ["250 2.0.0 taken"])
    bodies: list[bytes] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)
    begun: int = 0
    connections: int = 0
    port: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if not await self._reply(self.banner, reader, writer):
                return
            while line := await reader.readline():
                if not await self._command(line.decode(), reader, writer):
                    return
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _command(self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        match line.split(None, 1)[0].upper():
            case "EHLO" | "HELO":
                return await self._reply(self.ehlo, reader, writer)
            case "AUTH":
                return await self._reply(self.auth, reader, writer)
            case "MAIL":
                self._taken = []
                return await self._reply(self.mail, reader, writer)
            case "RCPT":
                is_on = await self._reply(self.rcpt, reader, writer)
                if self._last.startswith("250"):
                    self._taken.append(line.partition("<")[2].partition(">")[0])
                return is_on
            case "DATA":
                is_on = await self._reply(self.data, reader, writer)
                return is_on and (not self._was_start_input() or await self._body(reader, writer))
            case "QUIT":
                writer.write(b"221 bye\r\n")
                return False
            case _:
                writer.write(b"250 fine\r\n")
                return True

    def _was_start_input(self) -> bool:
        return self._last.startswith("354")

    async def _body(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines: list[bytes] = []
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                return False
            if not lines:
                self.begun += 1
                if self.body[0] is Trick.DROP_IN_BODY:
                    self._take(self.body)
                    return False
            lines.append(line)
        self.bodies.append(b"".join(lines))
        self.envelopes.append(self._taken)
        return await self._reply(self.body, reader, writer)

    async def _reply(self, replies: list[Reply], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        reply = self._take(replies)
        self._last = reply if isinstance(reply, str) else ""
        match reply:
            case Trick.HANG:
                await reader.read()  # until the other side loses patience
                return False
            case Trick.DROP | Trick.DROP_IN_BODY:
                return False
            case Trick.REPLY_THEN_DROP:
                writer.write(b"250 2.0.0 taken\r\n")
                await writer.drain()
                return False
            case Trick.DRIP:
                for byte in b"250 2.0.0 taken\r\n":
                    writer.write(bytes([byte]))
                    await writer.drain()
                return True
            case _:
                writer.write(reply.encode() + b"\r\n")
                await writer.drain()
                return True

    @staticmethod
    def _take(replies: list[Reply]) -> Reply:
        return replies.pop(0) if len(replies) > 1 else replies[0]


@asynccontextmanager
async def scripted_relay(relay: ScriptedRelay) -> AsyncIterator[ScriptedRelay]:
    talks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(relay.talk(reader, writer))
        talks.add(task)
        task.add_done_callback(talks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def addresses(mails: Sequence[Mail]) -> list[str]:
    return sorted(address for mail in mails for address in mail.recipients)
