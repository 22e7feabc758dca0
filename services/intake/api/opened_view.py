"""The view of a request that has just come in, as text: what `view_request` gives, in a tenth of the time.

Nobody has worked on such a request, so most of its view is the same for all, and what its process allows is the same
for all of one process that lack the same. A test holds both ways of writing it against each other.
"""

from __future__ import annotations

from pydantic_core import to_json

from services.intake.api.views import Judgement, view_next
from services.intake.domain.deciding import find_missing
from services.intake.domain.history import change_data
from services.intake.domain.process import Process
from services.intake.domain.record import RequestRecord
from services.intake.domain.submission import status_path

_next: dict[tuple[str, int, tuple[str, ...]], tuple[Process, bytes]] = {}
"""What is allowed next, as text. As many as versions of processes, times what can be missing at their starts."""


def write_opened(record: RequestRecord, process: Process, public_url: str) -> str:
    """
    Args:
        record: with nothing in its history but the submission, and what was doubted of it.
        process: the definition that it follows.
    """
    life = record.life
    view = {
        "id": record.request_id,
        "reference": record.reference,
        "external_id": record.external_id,
        "kind": life.kind,
        "process": life.process,
        "process_version": life.process_version,
        "product_line": life.product_line,
        "priority": life.priority,
        "customer_tier": life.customer_tier,
        "attributes": life.attributes,
        "channel": record.channel,
        "market": record.market,
        "language": record.language,
        "state": life.state,
        "stage": life.stage,
        "team": None,
        "handler": None,
        "acknowledged": False,
        "responded": False,
        "outcome": None,
        "reason": None,
        "pause_reasons": (),
        "awaited": {},
        "controls": {},
        "submitted_at": life.submitted_at,
        "closed_at": None,
        "cycle": 1,
        "score": None,
        "findings": dict.fromkeys(life.doubts, Judgement.OPEN),
        "version": life.version,
        "expected_at": None,
        "deadlines": (),
        "related": (),
    }
    history = {
        "history": [
            {
                "sequence": entry.sequence,
                "type": entry.change.TYPE,
                "occurred_at": entry.occurred_at,
                "recorded_at": entry.recorded_at,
                "by": entry.by,
                "cause": entry.cause,
                "data": change_data(entry.change),
            }
            for entry in record.history
        ],
        "status_url": public_url.rstrip("/") + status_path(record.status_token),
    }
    return b"".join(
        (to_json(view)[:-1], b',"next":', _allowed(record, process), b",", to_json(history)[1:]),
    ).decode()


def _allowed(record: RequestRecord, process: Process) -> bytes:
    life = record.life
    which = (process.code, process.version, find_missing(process, life))
    known = _next.get(which)
    if known is None or known[0] is not process:
        allowed = view_next(process, life, life.submitted_at)
        known = _next[which] = (process, to_json(allowed))
    return known[1]
