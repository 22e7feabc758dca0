"""SMTP in: a mail is answered 250 only once it is on disk."""

from __future__ import annotations

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from punctual.local.mailcatcher.mailbox import Mailbox
from shared.clock import real_now
from shared.errors import ConfigurationError
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_SIZE_LIMIT = 10_000_000  # bytes; notices are some kilobytes
_IDLE_SECONDS = 300.0  # RFC 5321, 4.5.3.2.7


class _Keeper:
    """aiosmtpd calls these by name."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode("utf-8", "surrogateescape")
        try:
            mail_id = await self._mailbox.keep(envelope.mail_from or "", envelope.rcpt_tos, raw, real_now())
        except OSError as error:
            _log.warning("a mail could not be kept", error=error.strerror)
            return "452 4.3.1 The disk did not take it, try again later"
        return f"250 2.0.0 Kept as {mail_id}"

    async def handle_exception(self, error: Exception) -> str:
        _log.warning("nonsense on the SMTP port", error=type(error).__name__)
        return "500 5.5.2 Not understood"


class SmtpServer:
    """A component beside the web page."""

    def __init__(self, mailbox: Mailbox, host: str, port: int) -> None:
        self._mailbox = mailbox
        self._host = host
        self._port = port

    async def run(self, stopping: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()

        def session() -> SMTP:
            return SMTP(
                _Keeper(self._mailbox),
                data_size_limit=_SIZE_LIMIT,
                enable_SMTPUTF8=True,
                hostname="mail.punctual.example",
                ident="Punctual mail catcher",
                timeout=_IDLE_SECONDS,
                loop=loop,
            )

        try:
            server = await loop.create_server(session, self._host, self._port)
        except OSError as error:
            raise ConfigurationError(f"port {self._port} cannot be listened on: {error.strerror}") from None
        async with server:
            await stopping.wait()
