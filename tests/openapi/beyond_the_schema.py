"""What a schema cannot say: valid data that is refused all the same, each with why. Everything else has to hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """Valid data that is refused.

    Attributes:
        code: of the problem.
        calls: the operations that may answer so; none stands for all.
        fields: what the problem may name, and nothing else; none for anything.
    """

    code: str
    why: str
    calls: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()

    def covers(self, call: str, problem: Any) -> bool:
        named = {error["field"] for error in problem["errors"]}
        return (
            problem["type"] == f"urn:punctual:problem:{self.code}"
            and (not self.calls or call in self.calls)
            and (not self.fields or (bool(named) and named <= self.fields))
        )


_TEXTS = frozenset(
    {"POST /v1/processes:lint", "POST /v1/processes:diff", "PUT /v1/processes/{process}", "PUT /v1/automation"}
)
"""Operations whose body is YAML."""

REFUSALS = (
    Refusal("idempotency_key_reused", "A key was drawn twice; what it stood for before is no part of the call."),
    Refusal("changed_meanwhile", "An ETag was drawn that is not the request's."),
    Refusal("superseded", "An ETag was drawn that is not that of the version in force."),
    Refusal("data_refused", "validation.yml compares fields with each other and with the calendar."),
    Refusal("occurred_at_impossible", "An instant ahead of the clock, or before the request."),
    Refusal("objective_unknown", "Which clocks a request has, only sla_timer knows.", fields=frozenset({"objective"})),
    Refusal(
        "invalid_fields",
        "An instant on the first or the last day of the calendar, which in UTC is none of it.",
        fields=frozenset({"occurred_at", "submitted_at"}),
    ),
    Refusal(
        "invalid_fields",
        "The text is YAML with a grammar of its own, or it was sent as JSON and is some.",
        _TEXTS,
        frozenset({"body"}),
    ),
    Refusal("broken_json", "`tests.openapi.media` sends some texts as JSON that are none.", _TEXTS),
    Refusal("bad_request", "The same, of JSON that cannot be read: too deep, no text.", _TEXTS),
    Refusal(
        "invalid_fields",
        "The header is drawn empty beside a text in YAML, though its pattern does not allow it.",
        frozenset({"PUT /v1/processes/{process}", "PUT /v1/automation"}),
        frozenset({"header:If-Match"}),
    ),
    Refusal("process_invalid", "A definition is YAML with a grammar of its own."),
    Refusal("automation_invalid", "Rules are YAML with a grammar of their own."),
    Refusal(
        "invalid_fields",
        "Filters that exclude each other; OpenAPI describes each parameter for itself.",
        frozenset({"GET /v1/requests"}),
        frozenset({"query:sort", "query:after", "query:count", "query:customer"}),
    ),
    Refusal(
        "invalid_fields",
        "A check character that does not fit.",
        frozenset({"GET /v1/requests", "GET /v1/audit"}),
        frozenset({"query:reference", "query:q"}),
    ),
    Refusal(
        "invalid_fields",
        "A place in a timeline, which only the answer before can tell.",
        frozenset({"GET /v1/requests/{reference}/timeline"}),
        frozenset({"query:after"}),
    ),
    Refusal(
        "invalid_fields",
        "A span has to end after it begins, within a year.",
        frozenset({"GET /v1/data-quality"}),
        frozenset({"query:to"}),
    ),
    Refusal(
        "invalid_fields",
        "A new key ends in the future.",
        frozenset({"POST /v1/keys"}),
        frozenset({"expires_at"}),
    ),
)


def is_beyond_the_schema(call: str, problem: Any) -> bool:
    """Whether the refusal is for what no schema can say."""
    return any(refusal.covers(call, problem) for refusal in REFUSALS)


NOT_CHECKED = (
    (
        "POST /v1/requests:batch",
        "negative_data_rejection",
        "The stream is answered 200 and each line for itself; `tests.openapi.media` checks the lines.",
    ),
    (
        "POST /v1/processes:lint",
        "negative_data_rejection",
        "Wrong definitions are what it is for: it answers 200 and says what is wrong.",
    ),
)
"""Operation, check that is off for it, why."""
