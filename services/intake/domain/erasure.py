"""The erasure of what is held on a customer, and how it is proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Destroyed:
    """How much of each sort was destroyed."""

    keys: int
    contacts: int
    descriptions: int
    texts: int
    portraits: int


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What another service says.

    Attributes:
        messages: mails it had kept and deleted.
        at: business time.
    """

    messages: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """Attributes:
    asked_by: name of the caller, or ``retention``.
    erased_at: business time.
    real_at: real time.
    key_fingerprint: SHA-256 of the wrapped key; shows in a backup whether it holds the key.
    confirmed: by service.
    """

    customer_id: UUID
    asked_by: str
    reason: str
    erased_at: datetime
    real_at: datetime
    destroyed: Destroyed
    key_fingerprint: bytes | None
    confirmed: Mapping[str, Confirmation]


@dataclass(frozen=True, slots=True)
class Remains:
    """What is found of a customer when one looks, whatever the record of the erasure says.

    Attributes:
        keys, contacts, descriptions, texts, portraits: of each sort what is still there.
        attributes: requests whose histories have an attribute with the name of personal data. None is taken any more;
            one that was taken before there was the rule is in a chain of hashes and in events, which nothing edits.
        is_named: the customer is still known by the channel's id.
    """

    keys: int
    contacts: int
    descriptions: int
    texts: int
    portraits: int
    attributes: int
    is_named: bool


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the proof."""

    what: str
    holds: bool
    detail: str


CONFIRMING = ("notifier",)
"""Services that hold personal data too and say when they have destroyed them."""


def prove(erasure: Erasure, remains: Remains) -> list[Check]:
    """Looks at what is there now. The erasure is proved when every check holds.

    The facts of the case stay: nothing can prove that no channel hid a name in a code, only that none is called so.
    """
    counted = [
        ("key", remains.keys, "the key with which contact and texts were encrypted"),
        ("contact", remains.contacts + remains.is_named, "name, addresses and the channel's id of the customer"),
        ("descriptions", remains.descriptions, "what came with the submissions"),
        ("texts", remains.texts, "notes, messages, names of attachments"),
        ("portraits", remains.portraits, "what new texts are compared with"),
        ("attributes", remains.attributes, "requests with an attribute that is named like personal data"),
    ]
    checks = [Check(what, left == 0, f"{detail}: {left} left") for what, left, detail in counted]
    for service in CONFIRMING:
        said = erasure.confirmed.get(service)
        detail = f"destroyed its own, {said.messages} mails among it" if said else "has not confirmed yet"
        checks.append(Check(service, said is not None, f"{service} {detail}"))
    return checks
