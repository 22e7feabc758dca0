"""One transaction that takes in a group: requests, histories, keys with their answers, and the events about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from datetime import timedelta
from functools import cache
from uuid import UUID

from prometheus_client import Counter as Count

from services.intake.handlers.customer_keys import CustomerKeys
from services.intake.handlers.duplicates import name_duplicates
from services.intake.handlers.offers import KeyReused, Offer, Outcome, Settled
from services.intake.handlers.validation import Validation
from services.intake.store.announcements import change_event, contact_event, submission_event
from services.intake.store.answers import Answer, find_answers
from services.intake.store.automation import add_tasks
from services.intake.store.refusals import writing
from services.intake.store.reminders import set_timers
from services.intake.store.submissions import Arrival, Encrypted, Taken, encrypt, insert_requests
from shared.contracts.envelope import Event, encode
from shared.contracts.payload import Payload
from shared.contracts.topics import CONTACTS, REQUESTS
from shared.errors import PunctualError, Retryable
from shared.outbox import Outbox
from shared.postgres import Connection, Database

ACCEPTED = Count("punctual_intake_requests_accepted_total", "Requests accepted.", ["channel", "kind"])

_accepted = cache(ACCEPTED.labels)  # its own look-up takes a lock; channels are few

_ATTEMPTS = 2  # the second sees the key that spoilt the first; beyond that members are not compared with each other


class _NamesUnstored(PunctualError):
    """A likely duplicate names a member of the group whose key another transaction had meanwhile."""


async def take_in(
    database: Database,
    outbox: Outbox,
    group: Sequence[Offer],
    patience: timedelta,
    customer_keys: CustomerKeys,
    validation: Validation | None = None,
) -> list[Outcome]:
    """Commit the group; the outcomes in its order. A key that occurs twice in it is settled by the first.

    Args:
        patience: how long to wait for a key or a customer that another transaction holds.
        validation: None looks for no duplicates.

    Raises:
        MasterKeyMissing: the personal data of one of the group cannot be encrypted here.
        CustomerMet, NameClash, KeyInFlight, CustomerBusy, Unstorable: nothing is stored; one of the group is at fault.
        DatabaseUnavailable: whether the commit happened may be unknown.
    """
    for _ in range(_ATTEMPTS):
        with suppress(_NamesUnstored):
            return await _take_in(database, outbox, group, patience, customer_keys, validation, is_among=True)
    return await _take_in(database, outbox, group, patience, customer_keys, validation, is_among=False)


async def _take_in(
    database: Database,
    outbox: Outbox,
    group: Sequence[Offer],
    patience: timedelta,
    customer_keys: CustomerKeys,
    validation: Validation | None,
    *,
    is_among: bool,
) -> list[Outcome]:
    """As ``take_in``.

    Args:
        is_among: members of the group may be duplicates of each other.

    Raises:
        _NamesUnstored: nothing is stored.
    """
    answers: Mapping[tuple[str, str], Answer] = {}
    async with writing(database) as connection:
        if validation is not None:
            await name_duplicates(connection, group, validation.book.duplicates, is_among=is_among)
        arrivals = [offer.arrival for offer in group]
        encrypted = await _encrypt(connection, group, customer_keys)
        taken = await insert_requests(connection, arrivals, encrypted, patience)
        if len(taken) < len(arrivals):
            repeats = [arrival for arrival in arrivals if arrival.submission.request_id not in taken]
            _check_named(group, {str(arrival.submission.request_id) for arrival in repeats})
            answers = await find_answers(connection, {(a.submission.channel, a.key) for a in repeats})
        woken = [a.submission.request_id for a in arrivals if a.wakes_rules and a.submission.request_id in taken]
        if woken:
            await add_tasks(connection, woken)
        timers = {
            a.submission.request_id: a.reminds_at
            for a in arrivals
            if a.reminds_at is not None and a.submission.request_id in taken
        }
        if timers:
            await set_timers(connection, timers)
        if taken:
            await _tell(connection, outbox, group, taken)
    for labels, count in Counter(
        (a.submission.channel, a.submission.kind) for a in arrivals if a.submission.request_id in taken
    ).items():
        _accepted(*labels).inc(count)
    if validation is not None:
        for arrival in arrivals:
            if arrival.submission.request_id in taken:
                validation.took_in(arrival.submission, arrival.doubts)
    return [
        Settled(arrival.status, arrival.body, arrival.submission, 1 if arrival.doubted is None else 2)
        if arrival.submission.request_id in taken
        else _repeated(arrival, answers)
        for arrival in arrivals
    ]


def _check_named(group: Sequence[Offer], unstored: Set[str]) -> None:
    """
    Raises:
        _NamesUnstored: one is said to be a duplicate of a request that will never be.
    """
    if not all(unstored.isdisjoint(offer.duplicates) for offer in group):
        raise _NamesUnstored("a key of the group was used while its transaction was under way")


async def _encrypt(connection: Connection, group: Sequence[Offer], customer_keys: CustomerKeys) -> list[Encrypted]:
    keys = await customer_keys.of_customers(connection, {offer.subject for offer in group})
    found = [(offer.arrival.submission, keys[offer.subject]) for offer in group]
    return [encrypt(submission, one.key, one.contact_version) for submission, one in found]


async def _tell(connection: Connection, outbox: Outbox, group: Sequence[Offer], taken: Mapping[UUID, Taken]) -> None:
    told = [
        (offer, stored) for offer in group if (stored := taken.get(offer.arrival.submission.request_id)) is not None
    ]
    requests = (event for one in told for event in _events(*one))
    contacts = (_contact(*one) for one in told if one[1].is_contact_news)
    await outbox.append_together(connection, {REQUESTS: map(encode, requests), CONTACTS: map(encode, contacts)})


def _events(offer: Offer, stored: Taken) -> Iterator[Event[Payload]]:
    arrival = offer.arrival
    yield submission_event(arrival.submission, stored, offer.trace)
    if arrival.doubted is not None:
        yield change_event(arrival.submission.request_id, arrival.doubted, offer.trace)


def _contact(offer: Offer, stored: Taken) -> Event[Payload]:
    submission, customer = offer.arrival.submission, stored.customer
    return contact_event(
        customer.key,
        stored.contact_version,
        customer.details,
        submission.contact.language,
        submission.market,
        submission.recorded_at,
        offer.trace,
    )


def _repeated(arrival: Arrival, answers: Mapping[tuple[str, str], Answer]) -> Outcome:
    answer = answers.get((arrival.submission.channel, arrival.key))
    if answer is None:
        return Retryable("the answer was forgotten this very moment")  # the key is free now
    if answer.fingerprint != arrival.fingerprint:
        return KeyReused("the key stands for another call")
    return Settled(answer.status, answer.body, None)
