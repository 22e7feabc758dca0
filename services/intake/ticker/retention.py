"""Erases customers whose data have been kept for as long as the rules say.

Retention goes by business time, which rests on this machine's clock: nobody is erased while that one is in doubt.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import UUID

from services.intake.domain.retention import RetentionRules
from services.intake.handlers.erasing import Erasing, RequestsNotOver
from services.intake.store.personal.customers import Ends, read_ends
from shared.clock import Clock
from shared.errors import Retryable
from shared.postgres import ClockCheck, ClocksDisagree, Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_PAGE = 500
_PAUSE_SECONDS = 1.0
_ROUND_SECONDS = 3600.0

_FIRST = UUID(int=0)
_BY, _REASON = "retention", "kept for as long as the rules of retention say"


class Retention:
    """A component. It walks over all customers in the order of their ids, a page each second, and then rests.

    Nobody is due whose details came after the shortest span of the rules began: of them nothing is looked up. A round
    over five million takes some three hours.
    """

    def __init__(
        self, database: Database, erasing: Erasing, rules: RetentionRules, clock: Clock, clock_check: ClockCheck
    ) -> None:
        self._database = database
        self._erasing = erasing
        self._rules = rules
        self._clock = clock
        self._clock_check = clock_check
        self._after = _FIRST

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                is_round_over = await self.run_once()
                pause = _ROUND_SECONDS if is_round_over else _PAUSE_SECONDS
            except Retryable as error:
                _log.warning("nobody is erased for now", error=str(error))
                pause = _ROUND_SECONDS if isinstance(error, ClocksDisagree) else _PAUSE_SECONDS
            await first_of(pause, stopping)

    async def run_once(self) -> bool:
        """Look at a page of customers; True when it was the last of the round.

        Raises:
            ClocksDisagree: nobody was looked at.
        """
        now = self._clock.now()
        async with self._database.connection() as connection:
            await self._clock_check.check(connection)
            page = await read_ends(connection, self._after, now - self._rules.shortest, _PAGE)
        for customer in page:
            if self._is_due(customer, now):
                await self._erase(customer.customer_id)
        is_round_over = len(page) < _PAGE
        self._after = _FIRST if is_round_over else page[-1].customer_id
        return is_round_over

    def _is_due(self, customer: Ends, now: datetime) -> bool:
        until = self._rules.until(customer.by_kind)
        return until is not None and until <= now

    async def _erase(self, customer_id: UUID) -> None:
        try:
            async with self._database.transaction() as connection:
                await self._erasing.erase(connection, customer_id, _BY, _REASON, cause="retention")
        except RequestsNotOver:
            return  # they came back this very moment
        _log.info("a customer's data were erased by the rules of retention", customer_id=str(customer_id))
