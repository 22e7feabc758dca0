"""Encrypts what was stored plain by versions before encryption. Done at the start, before anything is taken in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from services.intake.store.announcements import contact_event
from services.intake.store.personal.plain import (
    PlainText,
    replace_customers,
    replace_descriptions,
    replace_texts,
    take_customers,
    take_descriptions,
    take_texts,
)
from services.intake.store.personal.texts import encrypt_text
from services.intake.store.submissions import mark_details
from shared.clock import Clock
from shared.contracts.topics import CONTACTS
from shared.encryption import MasterKeys
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from shared.telemetry.context import new_trace
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_BATCH = 500

_Take = Callable[[Connection, int], Awaitable[list[PlainText]]]
_Replace = Callable[[Connection, Sequence[PlainText], Sequence[bytes]], Awaitable[None]]


class PlainData:
    """What is left of it. Several processes may be at it at once."""

    def __init__(self, database: Database, outbox: Outbox, clock: Clock, master_keys: MasterKeys) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._master_keys = master_keys

    async def encrypt(self) -> int:
        """Encrypt all of it; gives how many customers and texts that were."""
        total = 0
        while done := await self._encrypt_customers():
            total += done
        for take, replace in ((take_descriptions, replace_descriptions), (take_texts, replace_texts)):
            while done := await self._encrypt_texts(take, replace):
                total += done
        if total:
            _log.info("personal data that were stored plain are encrypted", count=total)
        return total

    async def _encrypt_customers(self) -> int:
        """A batch of them. They are told anew, so that compaction removes from the topic what was told plain."""
        async with self._database.transaction() as connection:
            customers = await take_customers(connection, _BATCH)
            keys = [self._master_keys.new_key(one.customer_id) for one in customers]
            details = [one.details.encrypt(key) for one, key in zip(customers, keys, strict=True)]
            marks = [
                mark_details(key, one.details, one.language, one.market)
                for one, key in zip(customers, keys, strict=True)
            ]
            if customers:
                await replace_customers(connection, keys, details, marks)
                now = self._clock.now()
                events = [
                    contact_event(key, one.version + 1, encrypted, one.language, one.market, now, new_trace())
                    for one, key, encrypted in zip(customers, keys, details, strict=True)
                ]
                await self._outbox.append(connection, CONTACTS, events)
        return len(customers)

    async def _encrypt_texts(self, take: _Take, replace: _Replace) -> int:
        async with self._database.transaction() as connection:
            texts = await take(connection, _BATCH)
            encrypted = [
                encrypt_text(
                    self._master_keys.unwrap(one.key.customer_id, one.key.wrapped),
                    one.request_id,
                    one.sequence,
                    one.name,
                    one.text,
                )
                for one in texts
            ]
            if texts:
                await replace(connection, texts, encrypted)
        return len(texts)
