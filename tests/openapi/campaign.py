"""Calls intake in every way its OpenAPI document allows, and in many that it does not, and checks every answer.

The calls are made by schemathesis: examples, every bound of every field, missing and malformed parts, methods that are
not there, and random ones, of which some use what earlier answers gave. Every check it has is on;
`tests.openapi.beyond_the_schema` says what cannot hold, and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import httpx
import schemathesis
from schemathesis import engine
from schemathesis.core.failures import Failure
from schemathesis.engine import Status, StopReason, events
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.openapi.checks import RejectedPositiveData

import tests.openapi.media  # noqa: F401  # it registers what it holds
from tests.openapi.beyond_the_schema import NOT_CHECKED, is_beyond_the_schema
from tests.openapi.running_intake import PATIENT_SECONDS, RunningIntake
from tests.openapi.seeding import Seeded, seed

Say = Callable[[str], None]

_ALL = ("examples", "coverage", "fuzzing", "stateful")
_ROUND = 10_000  # calls; what a round learnt from answers is forgotten after it, and so is their memory
_REFUSING = [400, 401, 403, 404, 405, 409, 412, 413, 415, 422]
_MOST_SHOWN = 3_000  # characters of one finding
_WATCHED_SECONDS = 0.2
"""How long a stream of changes is read that tells of none; the first event comes within milliseconds."""


@dataclass
class Outcome:
    """Attributes:
    calls: answered ones, by caller and phase.
    operations: answered calls of each.
    statuses: how often each was answered.
    findings: what is wrong, once each, with a call that shows it.
    """

    calls: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    findings: dict[str, str] = field(default_factory=dict)

    def take(self, caller: str, event: events.EngineEvent) -> None:
        match event:
            case events.ScenarioFinished():
                self._take_calls(f"{caller}, {event.phase.value}", event.recorder)
            case events.NonFatalError():
                self._find(f"{event.label}: {event.info.title}", event.info.message)
            case events.FatalError():
                raise event.exception
            case events.EngineFinished() if event.stop_reason is not StopReason.COMPLETED:
                self._find(f"{caller}: the run ended early", event.stop_reason.value)

    def _take_calls(self, name: str, recorder: ScenarioRecorder) -> None:
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is not None:
                self.calls[name] += 1
                self.statuses[interaction.response.status_code] += 1
                self.operations[recorder.cases[case_id].value.operation.label] += 1
        for checks in recorder.checks.values():
            for check in checks:
                if check.status is Status.FAILURE and check.failure_info is not None:
                    failure = check.failure_info.failure
                    shown = f"{failure.message}\n{check.failure_info.code_sample}"
                    self._find(f"{failure.operation}: {check.name}: {failure.title}", shown)

    def _find(self, title: str, shown: str) -> None:
        self.findings.setdefault(title, shown[:_MOST_SHOWN])

    def report(self) -> str:
        return "\n\n".join(f"{title}\n{shown}" for title, shown in sorted(self.findings.items()))


def call_intake(intake: RunningIntake, calls: int, seed_number: int, say: Say) -> Outcome:
    """Make so many calls, or some more.

    Args:
        seed_number: gives the same calls again, apart from what intake draws: ids, references, tokens.
    """
    document = httpx.get(f"{intake.url}/openapi.json", timeout=PATIENT_SECONDS).raise_for_status().json()
    seeded = seed(intake)
    outcome = Outcome()

    def run(caller: str, credentials: str, phases: Sequence[str], number: int, examples: int) -> None:
        schema = schemathesis.openapi.from_dict(
            document,
            config=schemathesis.Config.from_dict(_settings(intake.url, credentials, seeded, phases, number, examples)),
        )
        schema.hook(filter_failure)
        known = set(outcome.findings)
        for event in engine.from_schema(schema).execute():
            outcome.take(caller, event)
        for title in outcome.findings.keys() - known:
            say(f"{title}\n{outcome.findings[title]}")
        say(f"{outcome.calls.total():,} calls, {len(outcome.findings)} findings; last as {caller}")

    run("staff key", intake.key("staff"), _ALL, seed_number, 1)
    operations = len(outcome.operations)
    tenth = max(1, calls // 10 // operations)
    run("channel key", intake.key("app"), ("fuzzing",), seed_number, tenth)
    for role in ("handler", "auditor"):
        run(role, intake.token(role), ("fuzzing",), seed_number, ceil(tenth / 4))
    while (rest := calls - outcome.calls.total()) > 0:
        seed_number += 1
        examples = ceil(min(rest, _ROUND) / operations)
        run("staff key", intake.key("staff"), ("fuzzing",), seed_number, examples)
    return outcome


def filter_failure(_: Any, failure: Failure, case: schemathesis.Case[Any], response: schemathesis.Response) -> bool:
    """Named as schemathesis calls it: whether a finding counts."""
    return not (
        isinstance(failure, RejectedPositiveData)
        and "application/problem+json" in response.headers["content-type"]
        and is_beyond_the_schema(case.operation.label, response.json())
    )


def _settings(
    url: str, credentials: str, seeded: Seeded, phases: Sequence[str], number: int, examples: int
) -> dict[str, Any]:
    given = {
        "path.reference": seeded.references,
        "path.token": seeded.tokens,
        "path.customer_id": seeded.customers,
        "path.prefix": seeded.prefixes,
        "path.process": seeded.processes,
        "header.last-event-id": [seeded.event_id],
    }
    return {
        "base-url": url,
        "seed": number,
        "request-timeout": PATIENT_SECONDS,
        "cache": {"enabled": False},
        "continue-on-failure": True,
        "checks": {"negative_data_rejection": {"expected-statuses": _REFUSING}},
        "suppress-health-check": ["all"],
        "auth": {"openapi": {"HTTPBearer": {"bearer": credentials}}},
        "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
        "phases": {name: {"enabled": name in phases} for name in _ALL},
        "dictionaries": {name.replace(".", "_"): {"values": values} for name, values in given.items()},
        "parameters": {name: {"dictionary": name.replace(".", "_"), "probability": 0.8} for name in given},
        "operations": [
            {"include-name": "GET /v1/changes", "request-timeout": _WATCHED_SECONDS, "max-stream-events": 1},
            *({"include-name": name, "checks": {check: {"enabled": False}}} for name, check, _ in NOT_CHECKED),
        ],
    }
