"""One reused SMTP connection. Every hand-over ends in an answer; trouble is never raised.

aiosmtplib's own ``data()`` hides whether the relay fell silent before or after the body; so DATA, the marker and the
body are separate steps here. One transaction carries one mail; each recipient's reply is looked at, and whom the relay
takes gets it at once.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import aiosmtplib

from services.notifier.delivery.options import RelayOptions
from services.notifier.domain.addresses import is_deliverable
from services.notifier.domain.attempts import Answer, Outcome, Step, judge
from shared.clock import monotonic

_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")
_START_INPUT = 354
_CLOSING = 421
_OUR_REFUSAL = 553  # "mailbox name not allowed", as a relay would say it
_QUIT_SECONDS = 2.0

Begin = Callable[[], Awaitable[bool]]
"""Commits the marker that the body begins; False when this attempt may not go on."""


class _Answered(Exception):
    """The conversation ended early."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class RelaySession:
    """Hands over one mail at a time."""

    def __init__(self, options: RelayOptions) -> None:
        self._options = options
        self._smtp: aiosmtplib.SMTP | None = None
        self._mails = 0
        self._step = Step.CONNECT
        self._put_off: tuple[int, ...] = ()

    async def hand_over(self, sender: str, recipients: Sequence[str], message: bytes, begin: Begin) -> Answer | None:
        """Give one mail to the relay.

        Args:
            message: ASCII with CRLF line ends.

        Returns:
            None when ``begin`` forbade it; the relay has then seen an envelope and not a byte of the body.
        """
        try:
            began_at = await self._up_to_body(sender, recipients, begin)
            if began_at is None:
                self._drop()  # after 354 there is no way back but hanging up; the relay discards what has no end
                return None
            answer = await self._body(message, began_at)
        except _Answered as ended:
            answer = ended.answer
            await self._clear(answer)
        except BaseException:
            self._drop()
            raise
        return answer

    async def close(self) -> None:
        """Say goodbye if somebody is there."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None and smtp.is_connected:
            try:
                await smtp.quit(timeout=_QUIT_SECONDS)
            except (aiosmtplib.SMTPException, OSError):
                smtp.close()

    async def _up_to_body(self, sender: str, recipients: Sequence[str], begin: Begin) -> float | None:
        """The instant (monotonic) of asking for the marker; None when it was refused."""
        try:
            async with asyncio.timeout(self._options.envelope_timeout):
                await self._envelope(sender, recipients, monotonic() + self._options.envelope_timeout / 2)
                asked_at = monotonic()
                return asked_at if await begin() else None
        except TimeoutError:
            raise _Answered(Answer(self._step, None)) from None

    async def _envelope(self, sender: str, recipients: Sequence[str], enough_at: float) -> None:
        is_reused = self._smtp is not None and self._smtp.is_connected
        try:
            smtp = await self._connected()
            await self._ask(Step.SENDER, smtp.mail(sender))
        except _Answered as ended:
            if not (is_reused and ended.answer.code in {None, _CLOSING}):
                raise
            # The relay ended a connection that was idle, or that had carried enough for it; that is no fault.
            self._drop()
            smtp = await self._connected()
            await self._ask(Step.SENDER, smtp.mail(sender))
        self._put_off = await self._recipients(smtp, recipients, enough_at)
        response = await self._ask(Step.DATA, smtp.execute_command(b"DATA"))
        if response.code != _START_INPUT:
            raise _Answered(_answer(Step.DATA, response.code, response.message))

    async def _recipients(self, smtp: aiosmtplib.SMTP, recipients: Sequence[str], enough_at: float) -> tuple[int, ...]:
        """The positions of those who were put off; goes on when at least one was accepted.

        Args:
            enough_at: monotonic; then those who were accepted are served, so that a relay that thinks long about each
                of many addresses does not use up the time of all.
        """
        refusal: _Answered | None = None
        delay: _Answered | None = None
        put_off: list[int] = []
        accepted = 0
        for position, recipient in enumerate(recipients):
            if accepted and monotonic() >= enough_at:
                put_off.append(position)
                continue
            try:
                if not is_deliverable(recipient):  # the library would send to what it makes of it
                    raise _Answered(Answer(Step.RECIPIENT, _OUR_REFUSAL))
                await self._ask(Step.RECIPIENT, smtp.rcpt(recipient))
            except _Answered as ended:
                if ended.answer.code is None or ended.answer.code == _CLOSING:
                    raise
                if judge(ended.answer).outcome is Outcome.RETRY:
                    delay = ended
                    put_off.append(position)
                else:
                    refusal = ended
            else:
                accepted += 1
        end = delay or refusal
        if end is not None and accepted == 0:
            raise end
        return tuple(put_off)

    async def _body(self, message: bytes, began_at: float) -> Answer:
        smtp = self._smtp
        protocol = smtp.protocol if smtp is not None else None
        # A process that was stopped here must not go on: the lease may have run out and the doubt been resolved.
        if smtp is None or protocol is None or monotonic() - began_at > self._options.envelope_timeout:
            raise _Answered(Answer(Step.DATA, None))
        try:
            protocol.write(_stuffed(message))
        except aiosmtplib.SMTPServerDisconnected:
            raise _Answered(Answer(Step.DATA, None)) from None
        self._mails += 1
        try:
            response = await protocol.read_response(timeout=self._options.reply_timeout)
        except (aiosmtplib.SMTPException, OSError):
            self._drop()
            return Answer(Step.BODY, None)
        answer = replace(_answer(Step.BODY, response.code, response.message), put_off=self._put_off)
        if self._mails >= self._options.mails_per_session:
            await self.close()
        return answer

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._smtp is not None and self._smtp.is_connected:
            return self._smtp
        options = self._options
        smtp = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.port,
            local_hostname=options.hello_name,
            timeout=options.envelope_timeout,
            use_tls=options.tls == "implicit",
            start_tls={"off": False, "opportunistic": None, "starttls": True, "implicit": False}[options.tls],
            cert_bundle=str(options.ca_file) if options.ca_file else None,
            username=options.username,
            password=options.password,
        )
        self._smtp, self._mails = smtp, 0
        await self._ask(Step.CONNECT, smtp.connect())
        return smtp

    async def _ask(self, step: Step, asking: Awaitable[aiosmtplib.SMTPResponse]) -> aiosmtplib.SMTPResponse:
        """Raises:
        _Answered: with the relay's refusal, or with no code for silence, a drop or a broken handshake.
        """
        self._step = step
        try:
            return await asking
        except aiosmtplib.SMTPAuthenticationError as error:
            raise _Answered(_answer(Step.LOGIN, error.code, error.message)) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _Answered(_answer(step, error.code, error.message)) from None
        except (aiosmtplib.SMTPException, ssl.SSLError, OSError):
            raise _Answered(Answer(step, None)) from None

    async def _clear(self, answer: Answer) -> None:
        """Make the connection fit for the next mail, or hang up."""
        smtp = self._smtp
        if answer.code is None or answer.code == _CLOSING or smtp is None or not smtp.is_connected:
            self._drop()
            return
        try:
            await smtp.rset(timeout=_QUIT_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None


def _answer(step: Step, code: int, text: str) -> Answer:
    enhanced = _ENHANCED.match(text)
    # The library gives -1 for a line that is no reply at all.
    return Answer(step, code if code > 0 else None, enhanced.group(1) if enhanced else None)


def _stuffed(message: bytes) -> bytes:
    """With the transparency of RFC 5321 section 4.5.2 and the final dot."""
    if message.startswith(b"."):
        message = b"." + message
    return message.replace(b"\r\n.", b"\r\n..") + (b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n")
