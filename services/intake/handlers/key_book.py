"""Whose API key a text is: asked of Postgres, and remembered for a moment."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.domain.api_key import ApiKey, read_key
from services.intake.store.api_keys import find_key, note_uses
from shared.clock import monotonic, real_now
from shared.errors import DatabaseUnavailable
from shared.http.access.principal import Principal
from shared.postgres import Database
from shared.waiting import within

_FRESH_SECONDS = 2.0
"""A revocation holds in every process after this long; and a busy key costs one look-up in this long."""

_MOST = 10_000
"""Prefixes that are remembered, some hundred bytes each; whoever makes prefixes up must not fill the memory."""


@dataclass(frozen=True, slots=True)
class _Seen:
    key: ApiKey | None
    seen_at: float


class KeyBook:
    """Args:
    patience: how long a look-up may take, real time.
    now: real time.
    elapsed: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        database: Database,
        *,
        patience: timedelta = timedelta(seconds=5),
        now: Callable[[], datetime] = real_now,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self._database = database
        self._patience = patience
        self._now = now
        self._elapsed = elapsed
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._uses: dict[str, datetime] = {}

    async def find(self, text: str) -> Principal | None:
        """Whose key it is; None for what is no key, or not a good one any more.

        Raises:
            DatabaseUnavailable: nobody can say now.
        """
        parts = read_key(text)
        if parts is None:
            return None
        prefix, secret = parts
        key = await self._look_up(prefix)
        now = self._now()
        if key is None or not key.fits(secret) or key.state(now) != "good":
            return None
        self._uses[prefix] = now
        return key.principal()

    def forget(self, prefix: str) -> None:
        """Ask again at the next call: the key was changed by this process."""
        self._seen.pop(prefix, None)

    async def write_uses(self) -> None:
        """Write when keys were used since the last time.

        Raises:
            DatabaseUnavailable: they are kept for the next time.
        """
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            async with self._database.transaction() as connection:
                await note_uses(connection, uses)
        except BaseException:
            self._uses = uses | self._uses
            raise

    async def _look_up(self, prefix: str) -> ApiKey | None:
        seen = self._seen.get(prefix)
        if seen is not None and self._elapsed() - seen.seen_at < _FRESH_SECONDS:
            return seen.key
        asked_at = self._elapsed()  # before asking: the answer is no younger than the question
        try:
            key = await within(self._patience.total_seconds(), self._ask(prefix))
        except TimeoutError as error:
            raise DatabaseUnavailable(f"the look-up of a key: {error}") from None
        self._seen[prefix] = _Seen(key, asked_at)
        self._seen.move_to_end(prefix)
        while len(self._seen) > _MOST:
            self._seen.popitem(last=False)
        return key

    async def _ask(self, prefix: str) -> ApiKey | None:
        async with self._database.connection() as connection:
            return await find_key(connection, prefix)
