"""What there is in intake before the calls begin, so that generated ones meet something real."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from services.intake.domain.life import State
from tests.openapi.running_intake import PATIENT_SECONDS, RunningIntake

_REQUESTS = 24
_KINDS = (
    ("claim", "motor"),
    ("claim", "travel"),
    ("policy_service", "life"),
    ("underwriting", "life"),
    ("enquiry", "motor"),
    ("complaint", "health"),
)
_MOVES: Sequence[tuple[str, dict[str, Any]] | None] = (
    None,
    ("acknowledge", {"handler": "s-104"}),
    ("assign", {"team": "claims_hk"}),
    ("pause", {"reason": "customer_documents"}),
    ("cancel", {"reason": "duplicate"}),
    ("note", {"text": "called back"}),
    ("close", {"outcome": "withdrawn"}),
)


@dataclass(frozen=True, slots=True)
class Seeded:
    """Attributes:
    references: of requests of channel ``app`` in several states.
    tokens: of their status pages.
    customers: our ids of those who submitted them.
    prefixes: of API keys.
    """

    references: list[str]
    tokens: list[str]
    customers: list[str]
    prefixes: list[str]
    processes: list[str]
    event_id: str


def seed(intake: RunningIntake) -> Seeded:
    references, tokens, states = [], [], set()
    with _client(intake, "app") as app:
        for number in range(_REQUESTS):
            view = _post(app, "/v1/requests", f"seed-{number}", _submission(number))
            move = _MOVES[number % len(_MOVES)]
            if move is not None:
                verb, body = move
                view = _post(app, f"/v1/requests/{view['reference']}/{verb}", f"seed-{number}-{verb}", body)
            references.append(view["reference"])
            tokens.append(view["status_url"].rpartition("/")[2])
            states.add(view["state"])
    assert states >= {State.OPEN, State.PAUSED, State.CANCELLED, State.CLOSED}
    with _client(intake, "staff") as staff:
        held = [staff.get(f"/v1/requests/{reference}/customer").raise_for_status().json() for reference in references]
        prefixes = [
            _post(staff, "/v1/keys", f"seed-key-{n}", {"name": f"seed-{n}", "role": "channel", "scopes": ["read"]})
            for n in range(6)
        ]
        processes = staff.get("/v1/processes").json()
    return Seeded(
        references=references,
        tokens=tokens,
        customers=[customer["customer_id"] for customer in held],
        prefixes=[key["prefix"] for key in prefixes],
        processes=[process["process"] for process in processes],
        event_id=f"0-{'0' * 32}-0",
    )


def _client(intake: RunningIntake, name: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {intake.key(name)}"}
    return httpx.Client(base_url=intake.url, headers=headers, timeout=PATIENT_SECONDS)


def _submission(number: int) -> dict[str, Any]:
    kind, product_line = _KINDS[number % len(_KINDS)]
    customer = {"id": f"C-{number}", "name": "陳美玲", "language": "zh-Hant"}
    return {
        "kind": kind,
        "product_line": product_line,
        "market": ("HK", "CN", "TW")[number % 3],
        "external_id": f"APP-{number}",
        "customer": customer,
    }


def _post(client: httpx.Client, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body, headers={"Idempotency-Key": key})
    assert answer.is_success, f"{path}: {answer.text}"
    view: dict[str, Any] = answer.json()
    return view
