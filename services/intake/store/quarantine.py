"""Reads the requests in quarantine, and what became of doubts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.anomalies.error_rate import Records
from services.intake.domain.doubts import LIKELY_DUPLICATE, Doubted
from services.intake.domain.life import State
from services.intake.domain.sight import Sight
from services.intake.domain.visibility import EVERYTHING, Visibility
from services.intake.store.lookups import teams_of
from shared.contracts.payload import RequestKind
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)

OLDEST = UUID(int=0)
"""Below every id: the list begins with the oldest request."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A request with doubts that nobody judged, as the caller is shown it.

    Attributes:
        doubts: what each finding is about.
        duplicates: references of the requests that it is likely a duplicate of, where the caller sees them.
    """

    request_id: UUID
    reference: str
    channel: str
    kind: RequestKind
    state: State
    stage: str
    team: str | None
    handler: str | None
    submitted_at: datetime
    version: int
    doubts: Mapping[str, Sequence[str]]
    duplicates: Sequence[str]


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """What is None does not matter."""

    channel: str | None = None
    kind: RequestKind | None = None
    rule: str | None = None
    visibility: Visibility = EVERYTHING


async def list_quarantine(
    connection: Connection, wanted: QuarantineFilter, after: UUID, count: int
) -> Sequence[Quarantined]:
    """The oldest first, beyond ``after``; ids grow with the real time of recording."""
    rows = await _STATEMENTS["list_quarantine"].fetch(
        connection,
        channel=wanted.channel,
        kind=wanted.kind,
        rule=wanted.rule,
        seen_channel=wanted.visibility.channel,
        teams=teams_of(wanted.visibility),
        after=after,
        count=count,
    )
    found = []
    for row in rows:
        references = json.loads(row["duplicates"])
        sight = Sight(wanted.visibility, duplicates=frozenset(references))
        shown = (sight.shown_data(Doubted.TYPE, data) for data in json.loads(row["doubted"]))
        about = {rule: facts for data in shown for rule, facts in data.get("findings", {}).items()}
        waits = State.PAUSED if row["pause_reasons"] else State.OPEN
        found.append(
            Quarantined(
                request_id=row["request_id"],
                reference=row["reference"],
                channel=row["channel"],
                kind=RequestKind(row["kind"]),
                state=State(row["ended_as"]) if row["ended_as"] is not None else waits,
                stage=row["stage"],
                team=row["team"],
                handler=row["handler"],
                submitted_at=row["submitted_at"],
                version=row["version"],
                doubts={rule: about[rule] for rule in row["doubts"] if rule in about},
                duplicates=sorted(references.values()),
            )
        )
    return found


async def count_doubts(connection: Connection, visibility: Visibility) -> tuple[int, dict[str, int]]:
    """How many requests are in quarantine, and how many of them with each finding, as far as the caller is shown it."""
    rows = await _STATEMENTS["count_doubts"].fetch(
        connection, channel=visibility.channel, teams=teams_of(visibility), likely_duplicate=LIKELY_DUPLICATE
    )
    counts = {row["rule"]: row["requests"] for row in rows}
    return counts.pop(None), counts


async def count_records(connection: Connection, since: datetime, until: datetime) -> list[Records]:
    """The records submitted in a span, ``until`` excluded, by channel and kind."""
    return [
        Records(**dict(row)) for row in await _STATEMENTS["count_records"].fetch(connection, since=since, until=until)
    ]
