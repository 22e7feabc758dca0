"""Examples for the description of the API. A test holds them against their schemas."""

from __future__ import annotations

from typing import Any

SUBMISSION: dict[str, Any] = {
    "kind": "claim",
    "product_line": "motor",
    "priority": "high",
    "market": "HK",
    "external_id": "APP-7781",
    "occurred_at": "2026-11-22T09:30:00+08:00",
    "description": "後保險桿被撞，對方已留下電話。",
    "attributes": {"amount": 12800, "has_photos": True, "workshop": "HK-017"},
    "customer": {
        "id": "C-20981",
        "name": "陳美玲",
        "email": "meiling@example.com",
        "language": "zh-Hant",
        "tier": "gold",
    },
}

REQUEST: dict[str, Any] = {
    "id": "01a2051d-44ed-7642-9a32-1b7da3713f59",
    "reference": "K7M4Q-2XD9C",
    "external_id": "APP-7781",
    "kind": "claim",
    "process": "claim_motor",
    "process_version": 1,
    "product_line": "motor",
    "priority": "normal",
    "customer_tier": "gold",
    "attributes": {"amount": 12800, "has_photos": True, "workshop": "HK-017"},
    "channel": "app",
    "market": "HK",
    "language": "zh-Hant",
    "state": "open",
    "stage": "assessment",
    "team": "claims_hk",
    "handler": "s-104",
    "acknowledged": False,
    "responded": False,
    "outcome": None,
    "reason": None,
    "pause_reasons": [],
    "awaited": {},
    "controls": {},
    "findings": {"amount_implausible": "open"},
    "submitted_at": "2026-11-22T01:30:00Z",
    "closed_at": None,
    "cycle": 1,
    "score": None,
    "version": 2,
    "expected_at": "2026-11-27T09:00:00Z",
    "deadlines": [
        {
            "objective": "resolution",
            "state": "running",
            "due_at": "2026-11-27T09:00:00Z",
            "stopped_at": None,
            "warned": False,
            "escalation_level": 0,
        }
    ],
    "related": [],
    "next": {
        "stages": ["decision"],
        "missing": ["control:cover_checked"],
        "controls": {"cover_checked": ["cover_in_force"]},
        "optional_controls": {},
        "pauses": ["customer_documents", "third_party"],
        "resumes": [],
        "outcomes": {"declined": ["not_covered"], "withdrawn": []},
        "cancelling": ["submitted_by_mistake"],
        "reopening": None,
    },
    "history": [
        {
            "sequence": 2,
            "type": "stage_entered",
            "occurred_at": "2026-11-22T02:05:00Z",
            "recorded_at": "2026-11-22T02:05:11Z",
            "by": "app",
            "cause": None,
            "data": {"stage": "assessment", "handler": "s-104"},
        }
    ],
    "status_url": "https://status.example/t/0Zr1sWm3QhKpVt6uXyAbCd",
}

PROCESS = """\
format: "1"
process: enquiry
kind: enquiry
start: received
stages:
  received: {role: customer_service, next: [answering]}
  answering: {role: customer_service, rework: [received]}
outcomes:
  answered: {}
  withdrawn: {unchecked: true, despite_doubts: true}
pauses: {customer_documents: customer}
reopening: {within: 30d, stage: answering, reasons: [further_question]}
cancelling: [duplicate]
"""

AUTOMATION = """\
format: "1"
rules:
  - rule: next_when_complete
    on: false
    when: {stage: survey, is_complete: true, controls_passed: {at_least: 1}, controls_missing: {at_most: 0}}
    do: [{stage: next}]
"""
