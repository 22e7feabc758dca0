"""What callers get to see of a customer."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.intake.api.audit import AccessView
from services.intake.api.bodies import Body, Reason
from services.intake.api.texts import TextView
from services.intake.api.timeline import HappeningView
from services.intake.api.views import RequestView
from services.intake.domain.erasure import Check, Erasure
from services.intake.store.personal.customers import Customer
from shared.contracts.payload import Language, Market
from shared.encryption import ContactDetails


class CustomerView(BaseModel):
    customer_id: UUID
    channel: str
    external_id: str | None = Field(description="The channel's id of the customer; null once erased")
    language: Language
    market: Market
    requests: int = Field(description="How many there are that you may see")
    erased_at: datetime | None = Field(description="Business time")


class ContactView(CustomerView):
    """With how to reach them; of who was erased nothing is left."""

    name: str | None
    email: str | None
    phone: str | None


class ExportedRequestView(BaseModel):
    request: RequestView
    texts: list[TextView]
    timeline: list[HappeningView]


class ExportView(BaseModel):
    """All that intake holds on a customer."""

    customer: ContactView
    requests: list[ExportedRequestView]
    read_by: list[AccessView] = Field(description="Who read personal data of theirs, the oldest first")


class EraseBody(Body):
    reason: Reason = Field(
        description="Why, in words without personal data: it is kept for good",
        examples=["asked for by letter, file 2026-118"],
    )


class CheckView(BaseModel):
    what: str
    holds: bool
    detail: str


class ConfirmationView(BaseModel):
    messages: int = Field(description="Mails that were kept and deleted")
    at: datetime = Field(description="Business time")


class ErasureView(BaseModel):
    customer_id: UUID
    asked_by: str
    reason: str
    erased_at: datetime = Field(description="Business time")
    real_at: datetime = Field(description="Real time")
    destroyed: dict[str, int] = Field(description="How much of each sort")
    key_fingerprint: str | None = Field(
        description="SHA-256 of the customer's key as it was stored: shows whether a backup holds it"
    )
    confirmed: dict[str, ConfirmationView] = Field(description="What other services say they destroyed")
    is_proved: bool = Field(
        description="Every check holds. It says nothing of codes and sums, which stay as facts of the case"
    )
    checks: list[CheckView] = Field(description="What was found when the tables were looked at for this answer")


def view_customer(customer: Customer) -> CustomerView:
    return CustomerView(
        customer_id=customer.customer_id,
        channel=customer.channel,
        external_id=customer.external_id,
        language=customer.language,
        market=customer.market,
        requests=customer.requests,
        erased_at=customer.erased_at,
    )


def view_contact(customer: Customer, details: ContactDetails | None) -> ContactView:
    """
    Args:
        details: None once erased.
    """
    return ContactView(
        **view_customer(customer).model_dump(),
        name=details.name if details else None,
        email=details.email if details else None,
        phone=details.phone if details else None,
    )


def view_erasure(erasure: Erasure, checks: list[Check]) -> ErasureView:
    destroyed = erasure.destroyed
    return ErasureView(
        customer_id=erasure.customer_id,
        asked_by=erasure.asked_by,
        reason=erasure.reason,
        erased_at=erasure.erased_at,
        real_at=erasure.real_at,
        destroyed={name: getattr(destroyed, name) for name in type(destroyed).__dataclass_fields__},
        key_fingerprint=erasure.key_fingerprint.hex() if erasure.key_fingerprint else None,
        confirmed={
            service: ConfirmationView(messages=said.messages, at=said.at) for service, said in erasure.confirmed.items()
        },
        is_proved=all(check.holds for check in checks),
        checks=[CheckView(what=check.what, holds=check.holds, detail=check.detail) for check in checks],
    )
