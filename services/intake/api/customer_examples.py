"""Examples of what is answered about customers, and about who read of them, for the description of the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel

from services.intake.api.audit import view_access
from services.intake.api.customer_views import (
    ExportedRequestView,
    ExportView,
    view_contact,
    view_customer,
    view_erasure,
)
from services.intake.api.examples import REQUEST, SUBMISSION
from services.intake.api.texts import TextView
from services.intake.api.timeline import HappeningView
from services.intake.api.views import RequestView
from services.intake.domain.erasure import Confirmation, Destroyed, Erasure, Remains, prove
from services.intake.store.access_log import AccessRecord
from services.intake.store.personal.customers import Customer
from shared.encryption import ContactDetails

_AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
_REQUEST = RequestView.model_validate(REQUEST)
_CUSTOMER = UUID("01a2051d-44ec-7c1f-8d20-9a4b6e01c377")

_KNOWN = Customer(_CUSTOMER, "app", SUBMISSION["customer"]["id"], b"", _REQUEST.language, _REQUEST.market, _AT, None, 1)
_CONTACT = view_contact(
    _KNOWN, ContactDetails(name=SUBMISSION["customer"]["name"], email=SUBMISSION["customer"]["email"], phone=None)
)
_TEXTS = [
    TextView(sequence=1, type="submitted", text=SUBMISSION["description"], file_name=None, location=None),
    TextView(
        sequence=2,
        type="attached",
        text=None,
        file_name="receipt.pdf",
        location="s3://documents/7781/receipt.pdf",
    ),
]
_ACCESS = view_access(
    AccessRecord(
        who="wong",
        subject="f3b0c1d2",
        roles=("handler",),
        route="GET /v1/requests/{reference}/customer",
        what="contacts",
        reference="K7M4Q-2XD9C",
        customer_id=None,
        occurred_at=_AT,
        real_at=_AT,
        correlation_id="7d1c0f0c5d0c4a5ab0b3a0ff2e1d8c11",
    )
)
_HAPPENING = HappeningView(
    source="intake",
    type="punctual.request.submitted",
    sequence=1,
    occurred_at=_AT,
    recorded_at=_AT,
    by="app",
    cause="call",
    data={"kind": "claim", "product_line": "motor"},
)
_EXPORT = ExportView(
    customer=_CONTACT,
    requests=[ExportedRequestView(request=_REQUEST, texts=_TEXTS, timeline=[_HAPPENING])],
    read_by=[_ACCESS],
)
_ERASED = Erasure(
    customer_id=_CUSTOMER,
    asked_by="privacy-desk",
    reason="asked for by letter, file 2026-118",
    erased_at=_AT,
    real_at=_AT,
    destroyed=Destroyed(keys=1, contacts=1, descriptions=1, texts=2, portraits=0),
    key_fingerprint=bytes.fromhex("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
    confirmed={"notifier": Confirmation(messages=2, at=_AT + timedelta(seconds=1))},
)
_ERASURE = view_erasure(_ERASED, prove(_ERASED, Remains(0, 0, 0, 0, 0, 0, is_named=False)))


ANSWERS: Mapping[str, BaseModel | list[BaseModel]] = {
    "GET /v1/requests/{reference}/texts": [*_TEXTS],
    "GET /v1/requests/{reference}/customer": _CONTACT,
    "GET /v1/customers": view_customer(_KNOWN),
    "GET /v1/customers/{customer_id}/export": _EXPORT,
    "GET /v1/customers/{customer_id}/erasure": _ERASURE,
    "POST /v1/customers/{customer_id}:erase": _ERASURE,
    "GET /v1/audit": [_ACCESS],
}
"""By call."""
