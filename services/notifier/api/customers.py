"""Everything personal that is held on a customer, for whoever has to give it out or to look into it."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.notifier.domain.words import NoticeKind, NoticeState, Reason
from services.notifier.handlers.holding import Held, HeldMail, Holding, Reader
from shared.contracts.payload import Language
from shared.http import problem_responses
from shared.http.access import GuardedRoute, Principal, PrincipalOf
from shared.telemetry.context import current_trace


class HeldContact(BaseModel):
    """Attributes:
    version: of the contact event it came with.
    """

    version: int
    name: str
    email: str | None


class HeldMessage(BaseModel):
    """A mail that is kept.

    Attributes:
        reason: why its notice is held or how it ended, unless it was sent.
        is_damaged: what is stored of it cannot be decrypted any more; only that it was written is known.
        subject: null when it is damaged.
        message: its text as its reader sees it; null when it is damaged.
    """

    notice_id: UUID
    request_id: UUID
    reference: str
    kind: NoticeKind
    state: NoticeState
    reason: Reason | None
    planned_at: datetime
    ended_at: datetime | None
    language: Language
    is_damaged: bool
    recipients: list[str]
    subject: str | None
    message: str | None

    @classmethod
    def of(cls, mail: HeldMail) -> Self:
        return cls.model_validate(mail, from_attributes=True)


class AccessView(BaseModel):
    who: str
    subject: str = Field(description="What the issuer knows the caller by; of a key its prefix")
    roles: list[str] = Field(description="What the caller had then")
    occurred_at: datetime = Field(description="Business time")
    real_at: datetime = Field(description="Real time")
    correlation_id: str


class CustomerMessages(BaseModel):
    """Attributes:
    contact: null when none is held.
    messages: oldest first; without those that were deleted because they ended long ago.
    read_by: who got this answer, oldest first, the caller among them.
    """

    customer_id: UUID
    is_erased: bool
    contact: HeldContact | None
    messages: list[HeldMessage]
    read_by: list[AccessView]

    @classmethod
    def of(cls, held: Held) -> Self:
        contact = held.contact
        return cls(
            customer_id=contact.customer_id,
            is_erased=contact.is_erased,
            contact=None
            if contact.name is None
            else HeldContact(version=contact.version, name=contact.name, email=contact.email),
            messages=[HeldMessage.of(mail) for mail in held.mails],
            read_by=[AccessView.model_validate(access, from_attributes=True) for access in held.read_by],
        )


def customers_router(holding: Holding) -> APIRouter:
    router = APIRouter(route_class=GuardedRoute, prefix="/v1/customers", tags=["customers"])

    @router.get("/{customer_id}/messages", responses=problem_responses(401, 403, 422, 503))
    async def messages_of_customer(customer_id: UUID, caller: PrincipalOf) -> CustomerMessages:
        """Contact and every kept mail, damaged ones without their words. Each reading is noted.

        On a customer who is not known nothing is held.
        """
        return CustomerMessages.of(await holding.of_customer(customer_id, _reader(caller)))

    return router


def _reader(caller: Principal) -> Reader:
    return Reader(
        who=caller.name,
        subject=caller.terms.key if caller.terms is not None else caller.subject,
        roles=sorted(caller.roles),
        correlation_id=current_trace().correlation_id,
    )
