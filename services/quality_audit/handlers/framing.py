"""Closed requests enter the frame; some of them are sampled, and that is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from uuid import UUID

from services.quality_audit.domain.frame import Unit, frame_unit
from services.quality_audit.domain.period import period_of
from services.quality_audit.domain.plan import Facts
from services.quality_audit.domain.plan_text import PlanText
from services.quality_audit.domain.selection import UnitId, commitment, secret_of_period
from services.quality_audit.domain.standing import Standing, counted_at, moved
from services.quality_audit.domain.timeliness import Fate, Stretch
from services.quality_audit.store import frame, requests, samples
from services.quality_audit.store.frame import OpenPeriod
from services.quality_audit.store.requests import KnownRequest
from shared.clock import Clock
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.quality import SampleDrawn
from shared.contracts.requests import RequestClosed
from shared.contracts.topics import QUALITY
from shared.errors import ConfigurationError
from shared.ids import new_id
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from shared.telemetry.context import child, new_trace
from shared.telemetry.logs import get_logger

SOURCE = "/punctual/quality_audit"


@dataclass(frozen=True, slots=True)
class Closing:
    """Attributes:
    before: what moved the request before it, in order, among news that are not stored yet.
    """

    event: Event[RequestClosed]
    before: Sequence[Event[Payload]] = ()


_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Ending:
    """A closing with the unit that it makes, and how the request stood then."""

    unit: UnitId
    event: Event[RequestClosed]
    request: KnownRequest
    standing: Standing

    @property
    def stretch(self) -> Stretch:
        return Stretch(self.standing.began_at, counted_at(self.event))


@dataclass(frozen=True, slots=True)
class Refused:
    """A closing that cannot enter the frame.

    Attributes:
        number: its place in the batch.
    """

    number: int
    reason: str
    detail: str


class Framing:
    """Args:
    plan_text: the plan for periods that begin from now on.
    master: what the secrets of the periods are derived from.
    """

    def __init__(self, plan_text: PlanText, master: bytes, outbox: Outbox, clock: Clock) -> None:
        self._plan_text = plan_text
        self._master = master
        self._outbox = outbox
        self._clock = clock

    async def check_secret(self, database: Database) -> None:
        """Compare the secret with the commitment of the running period, before anything is decided with it.

        Raises:
            ConfigurationError: the period was begun with another secret.
        """
        period = period_of(self._clock.now())
        async with database.connection() as connection:
            found = await frame.find_period(connection, period)
        if found is not None:
            self._require_secret(period, found)

    async def close(self, connection: Connection, closings: Sequence[Closing]) -> list[Refused]:
        """Put each closing into the frame, exactly once.

        Raises:
            ConfigurationError: a period was begun with another secret than the one set now.
        """
        known = await requests.lock_requests(connection, {closing.event.data.request_id for closing in closings})
        endings = [_ending_of(closing, known) for closing in closings]
        framed = await frame.framed_among(connection, [each.unit for each in endings if each is not None])
        refused: list[Refused] = []
        accepted: list[_Ending] = []
        for number, each in enumerate(endings):
            if each is None:
                refused.append(Refused(number, "unknown_request", "it was closed but never submitted"))
            elif each.unit in framed:
                refused.append(Refused(number, "already_closed", "it is in the frame already"))
            else:
                framed.add(each.unit)
                accepted.append(each)
        if accepted:
            await self._enter(connection, accepted)
        return refused

    async def _enter(self, connection: Connection, accepted: Sequence[_Ending]) -> None:
        clocks = await requests.clocks_of_requests(connection, [each.unit.request_id for each in accepted])
        periods = await self._open_periods(connection, [each.event.occurred_at for each in accepted])
        units: list[Unit] = []
        for each in accepted:
            closed_at, attributes = each.event.occurred_at, each.standing.attributes
            plan = periods[period_of(closed_at)].plan_text.plan
            facts = Facts(
                kind=each.standing.kind,
                outcome=each.event.data.outcome,
                is_breached=_is_breached(each.stretch.fates_of(clocks.get(each.unit.request_id, ()))),
                attributes={name: attributes[name] for name in plan.attributes & attributes.keys()},
            )
            units.append(frame_unit(each.unit, facts, closed_at, plan, self._master))
        await frame.add_units(connection, units, [each.stretch for each in accepted])
        await self._draw(connection, accepted, units)

    async def _draw(self, connection: Connection, accepted: Sequence[_Ending], units: Sequence[Unit]) -> None:
        now = self._clock.now()
        drawn = [(new_id(), each, unit) for each, unit in zip(accepted, units, strict=True) if unit.is_sampled]
        if not drawn:
            return
        await samples.add_samples(connection, [(sample_id, unit.id) for sample_id, _, unit in drawn], now)
        times: Counter[UUID] = Counter()  # a request can be drawn twice, closed and closed again in one batch
        told: list[Event[Payload]] = []
        for sample_id, each, unit in drawn:
            times[unit.id.request_id] += 1
            sequence = each.request.events_said + times[unit.id.request_id]
            told.append(_sample_drawn(sample_id, each.event, unit, each.request.reference, sequence, now))
        await self._outbox.append(connection, QUALITY, told)
        await requests.count_events_said(connection, times)

    async def _open_periods(self, connection: Connection, instants: Sequence[datetime]) -> dict[str, OpenPeriod]:
        opened: dict[str, OpenPeriod] = {}
        for period in sorted({period_of(instant) for instant in instants}):
            secret = secret_of_period(self._master, period)
            found = await frame.open_period(connection, period, self._plan_text, commitment(secret), self._clock.now())
            self._require_secret(period, found)
            opened[period] = found
        return opened

    def _require_secret(self, period: str, found: OpenPeriod) -> None:
        if commitment(secret_of_period(self._master, period)) != found.secret_commitment:
            raise ConfigurationError(
                f"PUNCTUAL_QUALITY_AUDIT_SAMPLING_SECRET is not the one {period} was begun with; "
                "set that one again, or the choices of the period could no longer be proved"
            )
        if found.plan_text.digest != self._plan_text.digest:
            _log.info("the period keeps the sampling plan it began with", period=period)


def _ending_of(closing: Closing, known: Mapping[UUID, KnownRequest]) -> _Ending | None:
    request = known.get(closing.event.data.request_id)
    if request is None:
        return None
    standing = reduce(moved, closing.before, request.standing)
    return _Ending(UnitId(request.request_id, standing.cycle), closing.event, request, standing)


def _is_breached(fates: Sequence[Fate]) -> bool | None:
    return Fate.MISSED in fates if fates else None


def _sample_drawn(
    sample_id: UUID, closing: Event[RequestClosed], unit: Unit, reference: str, sequence: int, now: datetime
) -> Event[Payload]:
    trace = child(new_trace(closing.correlation_id, closing.traceparent))
    return Event(
        id=new_id(),
        source=SOURCE,
        subject=unit.id.request_id,
        sequence=sequence,
        occurred_at=closing.occurred_at,
        recorded_at=now,
        correlation_id=trace.correlation_id,
        traceparent=trace.traceparent,
        data=SampleDrawn(
            sample_id=sample_id,
            request_id=unit.id.request_id,
            reference=reference,
            stratum=unit.told_stratum,
            rate=unit.rate,
            period=unit.period,
        ),
    )
