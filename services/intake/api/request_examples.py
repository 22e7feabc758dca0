"""An example of each body that callers send, for the description of the API. A test has the models take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.intake.api.batch import PATH as BATCH
from services.intake.api.batch_lines import KEY_FIELD
from services.intake.api.batch_stream import NDJSON
from services.intake.api.examples import AUTOMATION, PROCESS, SUBMISSION
from services.intake.api.feedback_bodies import FORM, JSON

YAML = "text/yaml"

MOVES: Mapping[str, dict[str, Any]] = {
    "acknowledge": {"handler": "s-104"},
    "assign": {"team": "claims_hk", "handler": "s-104"},
    "stage": {"stage": "assessment", "handler": "s-104"},
    "leave": {"handler": "s-104"},
    "control": {"control": "cover_checked", "passed": True, "recorded": {"cover_in_force": True}, "handler": "s-104"},
    "response": {"handler": "s-104", "occurred_at": "2026-11-22T10:05:00+08:00"},
    "inform": {"handler": "s-104"},
    "message": {"text": "The other driver's insurer has called."},
    "note": {"text": "Called the workshop: the estimate comes on Friday.", "handler": "s-104"},
    "attachment": {
        "file_name": "receipt.pdf",
        "media_type": "application/pdf",
        "size": 48211,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "location": "s3://documents/7781/receipt.pdf",
        "document": "receipts",
    },
    "pause": {"reason": "customer_documents", "documents": ["receipts", "report"]},
    "documents": {"documents": ["receipts"]},
    "resume": {"reason": "customer_documents"},
    "change": {"reason": "customer_called", "priority": "high", "attributes": {"amount": 15300}},
    "extend": {"objective": "resolution", "seconds": 86400, "reason": "expert_opinion", "approved_by": "s-001"},
    "signal": {"signal": "all_there"},
    "close": {"outcome": "declined", "reason": "not_covered", "handler": "s-104"},
    "reopen": {"reason": "new_evidence"},
    "cancel": {"reason": "submitted_by_mistake"},
    "feedback": {"score": 5, "text": "Quick and friendly."},
    "merge": {"into": "T4WPN-H8RKE"},
    "process": {"process": "claim_motor", "version": 2, "stage": "assessment", "reason": "new_version"},
    "split": {"kind": "claim", "product_line": "health", "attributes": {"amount": 900}},
    "complain": {"description": "Nobody called me back.", "priority": "high"},
    "confirm": {"rule": "policy_was_in_force", "reason": "customer_called"},
    "dismiss": {"rule": "policy_was_in_force", "reason": "customer_called"},
}
"""By verb."""

BODIES: Mapping[tuple[str, str], Any] = {
    ("POST /v1/requests", JSON): SUBMISSION,
    (f"POST {BATCH}", NDJSON): {**SUBMISSION, KEY_FIELD: "app-7781-submit"},
    **{(f"POST /v1/requests/{{reference}}/{verb}", JSON): body for verb, body in MOVES.items()},
    ("POST /v1/processes:lint", YAML): PROCESS,
    ("POST /v1/processes:diff", YAML): PROCESS,
    ("PUT /v1/processes/{process}", YAML): PROCESS,
    ("PUT /v1/automation", YAML): AUTOMATION,
    ("POST /v1/automation:try", JSON): {
        "source": AUTOMATION,
        "submitted_from": "2026-10-01T00:00:00+08:00",
        "submitted_to": "2026-11-01T00:00:00+08:00",
        "most_listed": 20,
    },
    ("POST /v1/customers/{customer_id}:erase", JSON): {"reason": "asked for by letter, file 2026-118"},
    ("POST /v1/keys", JSON): {
        "name": "branch",
        "role": "channel",
        "scopes": ["submit", "batch", "read"],
        "rate_per_second": 50,
        "burst": 100,
    },
    ("POST /v1/keys/{prefix}:rotate", JSON): {"overlap_seconds": 604800},
    ("POST /t/{token}/feedback", JSON): {"score": 5, "text": "Quick and friendly."},
    ("POST /t/{token}/feedback", FORM): {"score": 5, "text": "Quick and friendly."},
}
"""By call and media type. Of YAML and of a form it is what a reader makes of the text."""
