"""Modes are entered and left, by command or by event, and end by themselves when their time has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.sla_timer.domain.modes import Activation, mode_at, modes_since
from services.sla_timer.domain.rules import Mode
from services.sla_timer.handlers import metrics
from services.sla_timer.store import modes as store
from services.sla_timer.store.modes import DeclaredMode
from services.sla_timer.store.rollouts import order_mode_rollout
from shared.clock import Clock
from shared.contracts.envelope import Event
from shared.contracts.operations import ModeEntered, ModeLeft
from shared.contracts.payload import Market, Payload
from shared.errors import Rejected
from shared.postgres import Connection, Database
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_ENDED_BY_ITSELF = "its_end_has_come"
_SELF = "sla_timer"
_REMEMBERED = timedelta(days=30)  # a submission told later than that begins in the mode of now


class Modes:
    """The modes that were lately in force, as every process of the service learns them within a second or two."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._declared: tuple[DeclaredMode, ...] = ()
        self._activations: tuple[Activation, ...] = ()

    @property
    def declared(self) -> Sequence[DeclaredMode]:
        """In the order they were entered."""
        return self._declared

    def in_force(self, market: str) -> Mode:
        return mode_at(self._activations, market, self._now()) if self._activations else Mode.NORMAL

    def since(self, market: str, at: datetime) -> list[tuple[datetime, Mode]]:
        """The mode at an instant, if not the usual one, and what it changed to since."""
        return modes_since(self._activations, market, at, self._now()) if self._activations else []

    def _now(self) -> datetime:
        """What was entered or left has been so already, though the clock of this process may be behind another's."""
        known = self._activations
        edges = [at for activation in known for at in (activation.entered_at, activation.left_at) if at is not None]
        return max(self._clock.now(), *edges)

    async def enter(
        self,
        activation_id: UUID,
        mode: Mode,
        *,
        markets: Sequence[Market],
        reason: str,
        author: str,
        until_at: datetime | None,
    ) -> DeclaredMode:
        """Put a mode in force from now on. The same activation again changes nothing."""
        activation = Activation(activation_id, mode, frozenset(markets), self._clock.now())
        declared = DeclaredMode(activation, reason, author, until_at, None, None)
        async with self._database.transaction() as connection:
            await self._enter(connection, declared)
        await self.refresh()
        return declared

    async def leave(self, activation_id: UUID, *, reason: str, author: str) -> DeclaredMode | None:
        """End a mode; None when it is not in force."""
        async with self._database.transaction() as connection:
            left = await self._leave(connection, activation_id, self._clock.now(), reason, author)
        await self.refresh()
        return left

    async def hear(self, connection: Connection, event: Event[Payload]) -> None:
        """A mode was declared elsewhere. It holds from the instant it was entered there.

        Raises:
            Rejected: it is none that can be declared.
        """
        at = min(event.occurred_at, self._clock.now())
        match event.data:
            case ModeEntered() as entered:
                if entered.mode not in (Mode.PEAK, Mode.EMERGENCY):
                    raise Rejected("unknown_mode", "only peak and emergency can be entered")
                if entered.until_at is not None and entered.until_at <= at:
                    raise Rejected("mode_ends_before_it_begins", "its end is not after the instant it was entered")
                activation = Activation(entered.activation_id, Mode(entered.mode), frozenset(entered.markets), at)
                declared = DeclaredMode(activation, entered.reason, entered.author, entered.until_at, None, None)
                await self._enter(connection, declared)
            case ModeLeft() as left:
                await self._leave(connection, left.activation_id, at, left.reason, left.author)
            case _:
                raise Rejected("not_a_mode", "of the operations only modes are heard")

    async def refresh(self) -> None:
        """Learn what other processes declared, and end what is over."""
        now = self._clock.now()
        async with self._database.connection() as connection:
            declared = await store.load_modes(connection, now - _REMEMBERED)
        over = [m for m in declared if m.until_at is not None and m.until_at <= now and m.left_by is None]
        if over:
            async with self._database.transaction() as connection:
                for mode in over:
                    assert mode.until_at is not None
                    await self._leave(connection, mode.activation.activation_id, mode.until_at, _ENDED_BY_ITSELF, _SELF)
                declared = await store.load_modes(connection, now - _REMEMBERED)
        self._declared = tuple(declared)
        self._activations = tuple(mode.activation for mode in declared)
        for market in Market:
            in_force = self.in_force(market)
            for mode_name in Mode:
                metrics.MODE.labels(mode_name.value, market.value).set(mode_name is in_force)

    async def _enter(self, connection: Connection, declared: DeclaredMode) -> None:
        await store.lock_modes(connection)
        if await store.enter_mode(connection, declared):
            activation = declared.activation
            await order_mode_rollout(connection, activation.activation_id, activation.entered_at, declared.author)
            _log.warning("mode entered", mode=activation.mode.value, markets=sorted(activation.markets))

    async def _leave(
        self, connection: Connection, activation_id: UUID, at: datetime, reason: str, author: str
    ) -> DeclaredMode | None:
        await store.lock_modes(connection)
        left = await store.leave_mode(connection, activation_id, at, reason, author)
        if left is not None:
            await order_mode_rollout(connection, activation_id, at, author)
            _log.warning("mode left", mode=left.activation.mode.value, reason=reason)
        return left
