"""Encrypts what was stored in plain text before version 2 of the schema, a little at a time."""

from __future__ import annotations

from services.notifier.store.personal import PersonalStore
from shared.encryption import MasterKeys
from shared.postgres import Database
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_BATCH = 200  # mails of some kilobytes each


async def encrypt_what_is_plain(database: Database, master_keys: MasterKeys) -> None:
    """For the start, before the service works. Looks nothing over that is encrypted already.

    Raises:
        MasterKeyMissing: the key of a customer cannot be unwrapped here.
        DatabaseUnavailable: what was done stays; the next start does the rest.
    """
    contacts = mails = 0
    while True:
        async with database.transaction() as connection:
            personal = PersonalStore(connection, master_keys)
            found = await personal.plain_contacts(_BATCH)
            await personal.save_contacts(found)
        contacts += len(found)
        if len(found) < _BATCH:
            break
    while True:
        async with database.transaction() as connection:
            personal = PersonalStore(connection, master_keys)
            renderings = await personal.plain_renderings(_BATCH)
            await personal.save_renderings(renderings)
        mails += len(renderings)
        if len(renderings) < _BATCH:
            break
    if contacts or mails:
        _log.info("encrypted what was plain", contacts=contacts, mails=mails)
