"""Every call that moves a request, in the words of a process and in some that it does not know; and how it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from tests.integration.intake.front_door import Intake
from tests.integration.intake.lawful import DEFINITIONS, control_points

Asked = tuple[str, dict[str, Any]]

FINDINGS = {"amount_is_not_gigantic": "amount", "currency_has_three_letters": "currency"}
"""What is doubted of ``DOUBTFUL`` attributes."""

DOUBTFUL = {"amount": 2_000_000_000, "currency": "hk"}

_BY_STAFF = {"extend", "process", "confirm", "dismiss"}
"""No channel may."""

_WEIGHTS = {"stage": 9, "control": 8, "close": 4, "pause": 4, "documents": 2, "change": 4, "process": 6}

_ATTACHED = {
    "file_name": "r.pdf",
    "media_type": "application/pdf",
    "size": 1,
    "sha256": "ab" * 32,
    "location": "s3://r",
}


def calls_of(definition: Mapping[str, Any], other: str) -> list[Asked]:
    """Every call in the words of the process, and one of each kind in words that it does not know.

    Args:
        other: reference of another request.
    """
    controls = {n: asked for stage in definition["stages"].values() for n, asked in control_points(stage).items()}
    outcomes = [(o, r) for o, asked in definition["outcomes"].items() for r in asked.get("reasons", [None])]
    pauses = [*definition["pauses"], "lunch"]
    recorded = {field: 1 for asked in controls.values() for field in asked}
    of_kind = [each for each in DEFINITIONS.values() if each["kind"] == definition["kind"]]
    lines = ["none_of_these", *(each["product_lines"][0] for each in of_kind if "product_lines" in each)]
    return [
        *(("stage", {"stage": stage}) for stage in [*definition["stages"], "nowhere"]),
        ("leave", {}),
        *(("control", {"control": name, "recorded": recorded}) for name in [*controls, "horoscope_read"]),
        *(("control", {"control": name}) for name in controls),
        *(("control", {"control": name, "recorded": recorded, "passed": False}) for name in controls),
        *(("pause", {"reason": reason}) for reason in pauses),
        *(("resume", {"reason": reason}) for reason in pauses),
        *(("close", {"outcome": o} | ({"reason": r} if r else {})) for o, r in [*outcomes, ("lost", None)]),
        ("close", {"outcome": outcomes[0][0], "reason": "mood"}),
        *(("reopen", {"reason": reason}) for reason in [*definition["reopening"]["reasons"], "boredom"]),
        *(("cancel", {"reason": reason}) for reason in [definition["cancelling"][0], "boredom"]),
        *(("pause", {"reason": reason, "documents": ["receipts", "report"]}) for reason in definition["pauses"]),
        *(("pause", {"reason": reason, "documents": ["report", "x_ray"]}) for reason in definition["pauses"]),
        *(("documents", {"documents": sent}) for sent in (["receipts"], ["report"], ["report", "receipts"], ["x_ray"])),
        *(("attachment", {**_ATTACHED, "document": document}) for document in ("receipts", "report", "passport")),
        ("attachment", _ATTACHED),
        *(("assign", {"team": team}) for team in ("claims_a", "claims_b", None)),
        *(("assign", {"handler": handler}) for handler in ("s-1", None)),
        ("assign", {"team": "claims_b", "handler": "s-2"}),
        ("extend", {"objective": "resolution", "seconds": 60, "reason": "expert", "approved_by": "s-9"}),
        ("signal", {"signal": "all_there"}),
        ("message", {"text": "m"}),
        ("inform", {}),
        ("acknowledge", {}),
        ("response", {}),
        ("note", {"text": "n"}),
        ("feedback", {"score": 4}),
        ("change", {"reason": "called", "attributes": {"amount": 7}}),
        ("change", {"reason": "called", "attributes": {"amount": 8}}),
        *(("change", {"reason": "called", "product_line": line}) for line in lines),
        *(("process", _followed(each, stage)) for each in of_kind for stage in (None, *each["stages"])),
        ("process", _followed(DEFINITIONS["enquiry"], None)),
        *(
            (verb, {"rule": rule, "reason": "asked"})
            for verb in ("confirm", "dismiss")
            for rule in [*FINDINGS, "no_rule"]
        ),
        ("merge", {"into": other}),
        ("split", {}),
        ("complain", {}),
    ]


def drawn(calls: list[Asked], lot: int) -> Asked:
    """However many words a verb has; what moves a request through its stages is likelier than the rest."""
    verbs = [verb for verb in dict.fromkeys(verb for verb, _ in calls) for _ in range(_WEIGHTS.get(verb, 1))]
    of_one = [call for call in calls if call[0] == verbs[lot % len(verbs)]]
    return of_one[lot // len(verbs) % len(of_one)]


async def make(intake: Intake, reference: str, verb: str, body: dict[str, Any], key: dict[str, str]) -> httpx.Response:
    client = intake.staff if verb in _BY_STAFF else intake.app
    return await client.post(f"/v1/requests/{reference}/{verb}", json=body, headers=key)


def _followed(definition: Mapping[str, Any], stage: str | None) -> dict[str, Any]:
    body = {"process": definition["process"], "version": 1, "reason": "another_line"}
    return body | ({"stage": stage} if stage is not None else {})
