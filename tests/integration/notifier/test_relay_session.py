"""One connection to a relay, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import pytest

from services.notifier.delivery.options import RelayOptions
from services.notifier.delivery.session import RelaySession
from services.notifier.domain.attempts import Answer, Step
from shared.clock import monotonic
from tests.integration.notifier.relays import CatchingRelay, ScriptedRelay, Trick, scripted_relay

OPTIONS = RelayOptions("127.0.0.1", 1, "notifier.test", envelope_timeout=0.5, reply_timeout=0.5)
MESSAGE = b"Subject: hello\r\n\r\nbody\r\n"


async def allow() -> bool:
    return True


async def hand_over(
    options: RelayOptions, message: bytes = MESSAGE, recipients: Sequence[str] = ("a@b.example",)
) -> Answer | None:
    session = RelaySession(options)
    try:
        return await session.hand_over("s@insurer.example", recipients, message, allow)
    finally:
        await session.close()


async def test_lines_that_begin_with_a_dot_arrive_as_they_are(relay: CatchingRelay) -> None:
    message = b".a\r\n..b\r\n.\r\nend\r\n"
    answer = await hand_over(replace(OPTIONS, port=relay.port), message)
    assert answer == Answer(Step.BODY, 250, "2.0.0")
    assert relay.mails[0].content == message


async def test_a_message_without_a_last_line_end_gets_one(relay: CatchingRelay) -> None:
    await hand_over(replace(OPTIONS, port=relay.port), b"Subject: x\r\n\r\nend")
    assert relay.mails[0].content.endswith(b"end\r\n")


async def test_without_the_encryption_that_is_demanded_nothing_is_sent() -> None:
    async with scripted_relay(ScriptedRelay()) as relay:
        assert await hand_over(replace(OPTIONS, port=relay.port, tls="starttls")) == Answer(Step.CONNECT, None)
        assert relay.begun == 0


@pytest.mark.parametrize(
    ("script", "answer"),
    [(["535 5.7.8 wrong"], Answer(Step.LOGIN, 535, "5.7.8")), (["235 2.7.0 welcome"], Answer(Step.BODY, 250, "2.0.0"))],
)
async def test_a_relay_may_want_a_login(script: list[str | Trick], answer: Answer) -> None:
    ehlo: list[str | Trick] = ["250-relay.test\r\n250 AUTH PLAIN"]
    async with scripted_relay(ScriptedRelay(ehlo=ehlo, auth=script)) as relay:
        options = replace(OPTIONS, port=relay.port, username="punctual", password="secret")
        assert await hand_over(options) == answer


@pytest.mark.parametrize("recipient", ["a@b.example> BODY=8BITMIME", "a@b.example\r\nDATA", "名@b.example"])
async def test_an_address_that_would_break_out_of_its_command_is_never_sent(recipient: str) -> None:
    async with scripted_relay(ScriptedRelay()) as relay:
        answer = await hand_over(replace(OPTIONS, port=relay.port), recipients=[recipient])
        assert answer == Answer(Step.RECIPIENT, 553)
        assert relay.begun == 0


async def test_a_process_that_was_stopped_after_its_marker_does_not_send_when_it_wakes_up() -> None:
    async def be_stopped() -> bool:
        woken_at = monotonic() + OPTIONS.envelope_timeout * 1.2
        while monotonic() < woken_at:
            pass  # nothing else in this process runs either
        return True

    async with scripted_relay(ScriptedRelay()) as relay:
        session = RelaySession(replace(OPTIONS, port=relay.port))
        answer = await session.hand_over("s@insurer.example", ["a@b.example"], MESSAGE, be_stopped)
        await session.close()
        assert answer == Answer(Step.DATA, None)
        assert relay.begun == 0


async def test_a_forbidden_body_is_not_begun() -> None:
    async def forbid() -> bool:
        return False

    async with scripted_relay(ScriptedRelay()) as relay:
        session = RelaySession(replace(OPTIONS, port=relay.port))
        assert await session.hand_over("s@insurer.example", ["a@b.example"], MESSAGE, forbid) is None
        assert relay.begun == 0
        answer = await session.hand_over("s@insurer.example", ["a@b.example"], MESSAGE, allow)
        assert answer == Answer(Step.BODY, 250, "2.0.0")
        assert relay.connections == 2
        await session.close()


async def test_connections_are_renewed_after_so_many_mails() -> None:
    async with scripted_relay(ScriptedRelay()) as relay:
        session = RelaySession(replace(OPTIONS, port=relay.port, mails_per_session=2))
        for _ in range(5):
            await session.hand_over("s@insurer.example", ["a@b.example"], MESSAGE, allow)
        await session.close()
        assert (len(relay.bodies), relay.connections) == (5, 3)


FINE, FULL, LATER, GONE = "250 2.1.5 fine", "552 5.2.2 full", "452 4.2.2 full for now", "550 5.1.1 who?"


@pytest.mark.parametrize(
    ("replies", "answer"),
    [
        ([FINE, LATER, FINE], Answer(Step.BODY, 250, "2.0.0", (1,))),
        ([FULL, FINE, LATER], Answer(Step.BODY, 250, "2.0.0", (0, 2))),
        ([FINE, GONE, FINE], Answer(Step.BODY, 250, "2.0.0")),
        ([GONE, LATER, FINE], Answer(Step.BODY, 250, "2.0.0", (1,))),
        ([GONE, LATER, GONE], Answer(Step.RECIPIENT, 452, "4.2.2")),
        ([LATER, GONE, LATER], Answer(Step.RECIPIENT, 452, "4.2.2")),
        ([GONE, GONE, GONE], Answer(Step.RECIPIENT, 550, "5.1.1")),
        ([FINE, "421 4.3.2 closing", FINE], Answer(Step.RECIPIENT, 421, "4.3.2")),
    ],
)
async def test_whom_the_relay_takes_gets_the_mail_whatever_it_says_of_the_others(
    replies: list[str | Trick], answer: Answer
) -> None:
    addresses = ["a@b.example", "b@b.example", "c@b.example"]
    taken = [address for address, reply in zip(addresses, replies, strict=True) if reply == FINE]
    async with scripted_relay(ScriptedRelay(rcpt=[*replies, Trick.DROP])) as relay:
        assert await hand_over(replace(OPTIONS, port=relay.port), recipients=addresses) == answer
        assert relay.envelopes == ([taken] if answer.step is Step.BODY else [])


async def test_a_relay_that_thinks_long_about_each_address_serves_some_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = count(0, 3)  # it is looked at the clock once per address
    monkeypatch.setattr("services.notifier.delivery.session.monotonic", lambda: next(seconds))
    addresses = [f"{number}@b.example" for number in range(9)]
    async with scripted_relay(ScriptedRelay()) as relay:
        answer = await hand_over(replace(OPTIONS, port=relay.port, envelope_timeout=20), recipients=addresses)
        assert answer == Answer(Step.BODY, 250, "2.0.0", (4, 5, 6, 7, 8))
        assert relay.envelopes == [addresses[:4]]


async def test_a_relay_that_closes_a_connection_after_some_mails_is_not_at_fault() -> None:
    mail: list[str | Trick] = ["250 2.1.0 fine", "421 4.7.0 enough on this one", "250 2.1.0 fine", "421 4.3.2 closing"]
    async with scripted_relay(ScriptedRelay(mail=mail)) as relay:
        session = RelaySession(replace(OPTIONS, port=relay.port))
        answers = [await session.hand_over("s@insurer.example", ["a@b.example"], MESSAGE, allow) for _ in range(3)]
        await session.close()
        taken = Answer(Step.BODY, 250, "2.0.0")
        assert answers == [taken, taken, Answer(Step.SENDER, 421, "4.3.2")]  # the last one also on a new connection
        assert relay.connections == 3
