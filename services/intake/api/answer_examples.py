"""Examples of what is answered about definitions, rules, data and keys, for the description of the API.

They are made by what makes the answers, where that needs no database: so that they look as answers do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from services.intake.api.automation_views import (
    AutomationAppliedView,
    AutomationVersionView,
    RuleTrialView,
    TrialView,
    WouldActView,
    view_automation,
)
from services.intake.api.batch_lines import KEY_FIELD, accepted_line, stored_part
from services.intake.api.data_quality import view_rates
from services.intake.api.examples import AUTOMATION, PROCESS, REQUEST
from services.intake.api.key_views import NewKeyView, view_key
from services.intake.api.process_views import (
    AppliedView,
    ErrorView,
    ProcessDifferencesView,
    ProcessLintView,
    RemarkView,
    SummaryView,
    VersionView,
    view_process,
)
from services.intake.api.quarantine import DoubtView, QuarantinedView
from services.intake.api.streams import AlarmView, StreamView
from services.intake.api.validation import RuleView, SchemaView, ValidationView
from services.intake.api.verifying import VerdictView, VerifiedPageView
from services.intake.api.views import RequestView
from services.intake.domain.anomalies.causes import Cause
from services.intake.domain.anomalies.error_rate import Records, error_rates
from services.intake.domain.api_key import ApiKey
from services.intake.domain.process_differences import find_process_differences
from services.intake.domain.process_files import read_process
from services.intake.domain.process_linting import remark_on_process
from services.intake.domain.validation.book import Severity
from services.intake.handlers.offers import Settled
from services.intake.store.automation import AutomationVersion
from services.intake.store.processes import ProcessVersion
from shared.http.access import Scope

_AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
_REQUEST = RequestView.model_validate(REQUEST)

# Processes: one, and a draft that differs from it
_PROCESS = read_process(PROCESS, "enquiry.yml", 1)
_DRAFT = read_process(PROCESS.replace("within: 30d", "within: 60d"), "enquiry.yml", 2)
_VERSION = ProcessVersion(_PROCESS.code, 1, PROCESS, "api", "manager-3", "asked again too often", _AT)
_SHOWN = view_process(_VERSION)
_SUMMARY = SummaryView(
    process=_PROCESS.code,
    version=1,
    kind=_PROCESS.kind,
    product_lines=list(_PROCESS.product_lines),
    stages=list(_PROCESS.stages),
    outcomes=list(_PROCESS.outcomes),
)
_DIFFERENCES = ProcessDifferencesView(
    process=_PROCESS.code, from_version=1, to_version=2, differences=find_process_differences(_PROCESS, _DRAFT)
)
_LINT = ProcessLintView(
    errors=[ErrorView(line=8, field="stages.answering.rework[0]", message="there is no stage recieved")],
    remarks=[
        RemarkView(line=r.line, where=r.where, message=r.message) for r in remark_on_process(_PROCESS, PROCESS, "")
    ],
)

# Automation
_RULES = view_automation(AutomationVersion(3, AUTOMATION, "api", "manager-3", "tried on October", _AT))
_TRIAL = TrialView(
    requests=200,
    rules=[
        RuleTrialView(
            rule="next_when_complete",
            acted=57,
            times=57,
            held_back=6,
            agreed=0,
            disagreed=0,
            listed=[WouldActView(reference="K7M4Q-2XD9C", sequence=3, at=_AT, agrees=None, held_back=False)],
        )
    ],
    next=_REQUEST.id,
)

# Proof and quality
_VERDICT = VerdictView(reference="K7M4Q-2XD9C", entries=7, unproved=0, problems=[])
_BROKEN = VerdictView(
    reference="T4WPN-H8RKE", entries=4, unproved=0, problems=["entry 3 is not what was written: its hash differs"]
)
_VERIFIED = VerifiedPageView(requests=200, entries=1431, unproved=0, problems=[_BROKEN], next=_REQUEST.id)
_QUARANTINED = QuarantinedView(
    id=_REQUEST.id,
    reference=_REQUEST.reference,
    channel=_REQUEST.channel,
    kind=_REQUEST.kind,
    state=_REQUEST.state,
    stage=_REQUEST.stage,
    team=_REQUEST.team,
    handler=None,
    submitted_at=_AT,
    version=2,
    doubts=[
        DoubtView(rule="amount_implausible", about=["amount"], message="far from what requests of the same sort had")
    ],
    duplicates=[],
)
_QUALITY = view_rates(
    error_rates([Records("app", "claim", 4000, 3, 5, 2), Records("branch", "enquiry", 1500, 1, 0, 0)])
)
_VALIDATION = ValidationView(
    sha256="6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    loaded_at=_AT,
    schemas=[
        SchemaView(
            name="claims",
            kinds=["claim"],
            product_lines=[],
            markets=[],
            rules=[
                RuleView(
                    rule="policy_was_in_force",
                    severity=Severity.DOUBT,
                    message="the incident lies outside the time in which the policy was in force",
                )
            ],
        )
    ],
    personal=["email", "name", "phone"],
    harmless=["product_name"],
    watched=["amount"],
    duplicates_within_seconds=172800.0,
)
_STREAM = StreamView(
    channel="app",
    alarms=[AlarmView(cause=Cause.SURGE, since=_AT)],
    watched_since=_AT - timedelta(days=30),
    hour=_AT.replace(minute=0),
    accepted=412,
    refused=9,
    usual=95.0,
)

# Keys
_MADE = ApiKey(
    prefix="K7M4Q2XD",
    secret_hash=b"",
    name="branch",
    role="channel",
    scopes=frozenset({Scope.SUBMIT, Scope.BATCH, Scope.READ}),
    rate_per_second=50.0,
    burst=100,
    created_at=_AT,
    created_by="admin-1",
    expires_at=None,
    revoked_at=None,
    revoked_by=None,
    last_used_at=None,
    replaces=None,
    replaced_by=None,
    number=1,
)
_KEY = view_key(_MADE, _AT)
_NEW_KEY = NewKeyView(**_KEY.model_dump(), key="pk_K7M4Q2XD_" + "-" * 43)

ANSWERS: Mapping[str, BaseModel | list[BaseModel]] = {
    "GET /v1/processes": [_SUMMARY],
    "GET /v1/processes/{process}": _SHOWN,
    "GET /v1/processes/{process}/versions": [VersionView(**_SHOWN.model_dump(exclude={"source"}))],
    "GET /v1/processes/{process}/differences": _DIFFERENCES,
    "PUT /v1/processes/{process}": AppliedView(**_SHOWN.model_dump(), new=True),
    "POST /v1/processes:lint": _LINT,
    "POST /v1/processes:diff": _DIFFERENCES.model_copy(update={"to_version": None}),
    "GET /v1/automation": _RULES,
    "GET /v1/automation/versions": [AutomationVersionView(**_RULES.model_dump(exclude={"source"}))],
    "PUT /v1/automation": AutomationAppliedView(**_RULES.model_dump(), new=True),
    "POST /v1/automation:try": _TRIAL,
    "GET /v1/requests/{reference}/verification": _VERDICT,
    "GET /v1/verification": _VERIFIED,
    "GET /v1/quarantine": [_QUARANTINED],
    "GET /v1/data-quality": _QUALITY,
    "GET /v1/validation": _VALIDATION,
    "GET /v1/streams": [_STREAM],
    "POST /v1/keys": _NEW_KEY,
    "GET /v1/keys": [_KEY],
    "POST /v1/keys/{prefix}:rotate": _NEW_KEY.model_copy(update={"replaces": "T4WPNH8R"}),
    "POST /v1/keys/{prefix}:revoke": _KEY.model_copy(
        update={"state": "revoked", "revoked_at": _AT, "revoked_by": "ho"}
    ),
}
"""By call; those about customers stand beside."""

_STORED = stored_part(_REQUEST.reference, _REQUEST.id)
_PROBLEM = {
    "type": "urn:punctual:problem:invalid_fields",
    "title": "Some fields are missing or wrong",
    "status": 422,
    "errors": [{"field": "market", "message": "Input should be 'HK', 'CN' or 'TW'"}],
    "correlation_id": "7d1c0f0c5d0c4a5ab0b3a0ff2e1d8c11",
}
_STOPPING = {
    "type": "urn:punctual:problem:stopping",
    "title": "The service is being stopped and takes no more lines",
    "status": 503,
    "errors": [],
    "correlation_id": "7d1c0f0c5d0c4a5ab0b3a0ff2e1d8c11",
}
LINES: Mapping[str, dict[str, Any]] = {
    "accepted": {"line": 1, "status": 201, KEY_FIELD: "app-7790", **json.loads(_STORED)},
    "accepted before": json.loads(accepted_line(1, "app-7790", Settled(201, _STORED, None))),
    "refused": {"line": 2, "status": 422, KEY_FIELD: "app-7791", "problem": _PROBLEM},
    "the last one": {"resume_from": 3, "status": 503, "retry_after_seconds": 5, "problem": _STOPPING},
}
"""Of the answer to a batch."""
