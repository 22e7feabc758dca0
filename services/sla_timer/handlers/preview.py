"""What a draft of the rules would change, over the clocks that run and over a span of history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from services.sla_timer.domain.attainment import Attainment, was_kept
from services.sla_timer.domain.case import Case, open_case
from services.sla_timer.domain.differences import find_differences
from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.domain.modes import Activation
from services.sla_timer.domain.previewing import (
    DRAFT_VERSION,
    ChangeKind,
    ClockChange,
    apply_draft,
    begin_under_draft,
    compare_running,
    has_same_promises,
    verdicts,
)
from services.sla_timer.domain.rulebook import RuleSources, read_rulebook
from services.sla_timer.domain.rules import Rulebook
from services.sla_timer.handlers.reading_jobs import AT_ONCE, StoredRules, Tell, one_snapshot
from services.sla_timer.store import histories, modes, policy_versions
from services.sla_timer.store.histories import BareRequest
from shared.clock import monotonic
from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class PreviewJob:
    """Attributes:
    now: business time; the draft is applied as of it.
    history_from, history_to: requests submitted in between are looked at, too; None looks at none.
    most_listed: how many changed clocks are listed one by one.
    teams: listed is what these have, or no team has; None: all. Counted are all clocks, since rules are the house's.
    """

    policies: str
    calendars: str
    now: datetime
    history_from: datetime | None
    history_to: datetime
    most_listed: int
    teams: frozenset[str] | None

    @classmethod
    def of(cls, job: dict[str, Any]) -> PreviewJob:
        """As the API writes it."""
        since = job["history_from"]
        return cls(
            job["policies"],
            job["calendars"],
            datetime.fromisoformat(job["now"]),
            None if since is None else datetime.fromisoformat(since),
            datetime.fromisoformat(job["history_to"]),
            job["most_listed"],
            None if job["teams"] is None else frozenset(job["teams"]),
        )

    def lists(self, request: BareRequest) -> bool:
        return self.teams is None or request.team is None or request.team in self.teams


@dataclass(slots=True)
class Found:
    """What the preview has found so far, over the clocks that run."""

    requests: int = 0
    affected: int = 0
    listed: list[dict[str, Any]] = field(default_factory=list)
    by_promise: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)

    def take(self, request: BareRequest, changes: Sequence[ClockChange], job: PreviewJob) -> None:
        self.affected += bool(changes)
        for change in changes:
            counts = self.by_promise.setdefault((change.policy, change.objective), Counter())
            counts[change.kind.value] += 1
            counts["breached_at_once"] += change.is_breached_at_once
            if len(self.listed) < job.most_listed and job.lists(request):
                self.listed.append({"reference": request.reference, **asdict(change)})

    def told(self) -> dict[str, Any]:
        columns = [*(kind.value for kind in ChangeKind), "breached_at_once"]
        by_promise = [
            {"policy": policy, "objective": objective, **{column: counts[column] for column in columns}}
            for (policy, objective), counts in sorted(self.by_promise.items())
        ]
        totals = {column: sum(counts[column] for counts in self.by_promise.values()) for column in columns}
        return {
            "requests": self.requests,
            "affected": self.affected,
            **totals,
            "by_promise": by_promise,
            "listed": self.listed,
        }


async def run_preview(url: str, job: PreviewJob, tell: Tell) -> None:
    """Look at everything in one snapshot and tell progress and result."""
    began = monotonic()
    draft = read_rulebook(RuleSources(job.policies, job.calendars), DRAFT_VERSION)
    async with one_snapshot(url, "sla_timer-preview") as connection:
        preview = _Preview(connection, job, draft, tell)
        in_force = await preview.begin()
        result: dict[str, Any] = {
            "kind": "result",
            "version_in_force": in_force.version,
            "differences": find_differences(in_force, draft),
            "running": await preview.running(),
            "history": None if job.history_from is None else await preview.history(job.history_from),
        }
    tell({**result, "seconds": round(monotonic() - began, 3)})


class _Preview:
    def __init__(self, connection: Connection, job: PreviewJob, draft: Rulebook, tell: Tell) -> None:
        self._connection = connection
        self._job = job
        self._draft = draft
        self._tell = tell
        self._rules = StoredRules()
        self._activations: list[Activation] = []
        self._same: dict[tuple[int, str, str, str], bool] = {}

    async def begin(self) -> Rulebook:
        """Read the rules in force, and every mode that was ever entered."""
        newest = await policy_versions.newest(self._connection)
        assert newest is not None  # the service that asks has one
        self._activations = [declared.activation for declared in await modes.load_modes(self._connection)]
        await self._rules.learn(self._connection, {newest})
        return self._rules.known(newest)

    async def running(self) -> dict[str, Any]:
        found = Found()
        total = await histories.count_running_requests(self._connection)
        async for batch in histories.walk_running_requests(self._connection, AT_ONCE):
            cases = await self._cases([request for request in batch if await self._may_change(request)])
            for request, case in cases:
                after = apply_draft(case, self._draft, self._job.now, self._rules.known, self._activations)
                found.take(request, compare_running(case, after, self._job.now), self._job)
            found.requests += len(batch)
            self._tell({"kind": "progress", "phase": "running", "done": found.requests, "total": total})
        return found.told()

    async def history(self, since: datetime) -> dict[str, Any]:
        before, after, done = Attainment(), Attainment(), 0
        now, until = self._job.now, self._job.history_to
        total = await histories.count_submitted_requests(self._connection, since, until)
        async for batch in histories.walk_submitted_requests(self._connection, since, until, AT_ONCE):
            kinds = {request.request_id: request.facts.kind for request in batch}
            affected = await self._cases([request for request in batch if await self._may_change(request)])
            for request, case in affected:
                kinds[request.request_id] = case.now.facts.kind
                begun = begin_under_draft(case, self._draft, now, self._activations)
                after.count(case.now.facts.kind, verdicts(begun, now))
            is_affected = {request.request_id for request, _ in affected}
            for request_id, objective, state, due_at, ended_at in await histories.load_endings(self._connection, kinds):
                verdict = [(objective, was_kept(state, due_at, ended_at, now))]
                before.count(kinds[request_id], verdict)
                if request_id not in is_affected:
                    after.count(kinds[request_id], verdict)
            done += len(batch)
            self._tell({"kind": "progress", "phase": "history", "done": done, "total": total})
        return {"requests": done, "by_kind": _attained(before, after)}

    async def _may_change(self, request: BareRequest) -> bool:
        """Whether its promises would be others; most changes of the rules leave most requests alone."""
        if request.has_other_terms:
            return True
        await self._rules.learn(self._connection, {request.policy_version})
        rules = self._rules.known(request.policy_version)
        old, new = rules.policy_for(request.facts), self._draft.policy_for(request.facts)
        key = rules.version, old.code, new.code, request.facts.market
        if key not in self._same:
            self._same[key] = has_same_promises(old, rules, new, self._draft, request.facts.market)
        return not self._same[key]

    async def _cases(self, requests: Sequence[BareRequest]) -> list[tuple[BareRequest, Case]]:
        if not requests:
            return []
        told = await histories.load_histories(self._connection, [request.request_id for request in requests])
        versions = {version for history in told.values() for version in _versions(history)}
        await self._rules.learn(self._connection, versions | {request.policy_version for request in requests})
        return [
            (
                request,
                open_case(
                    request.request_id,
                    request.reference,
                    told[request.request_id],
                    request.facts,
                    request.policy_version,
                    self._rules.known,
                ),
            )
            for request in requests
        ]


def _versions(history: Sequence[RequestEvent]) -> set[int]:
    return {
        int(entry.details["version"])
        for entry in history
        if entry.happening is Happening.POLICY_APPLIED and entry.details is not None
    }


def _attained(before: Attainment, after: Attainment) -> list[dict[str, Any]]:
    groups = sorted(before.groups() | after.groups())
    return [
        {
            "request_kind": kind,
            "objective": objective,
            "before": {"kept": before.kept[kind, objective], "missed": before.missed[kind, objective]},
            "after": {"kept": after.kept[kind, objective], "missed": after.missed[kind, objective]},
        }
        for kind, objective in groups
    ]
