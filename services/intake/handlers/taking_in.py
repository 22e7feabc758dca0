"""One transaction that takes in a group: requests, histories, keys with their answers, and the events about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from prometheus_client import Counter as Count

from services.intake.handlers.offers import KeyReused, Offer, Outcome, Settled
from services.intake.store.announcements import contact_event, submission_event
from services.intake.store.answers import Answer, find_answers
from services.intake.store.automation import add_tasks
from services.intake.store.refusals import writing
from services.intake.store.submissions import Arrival, Taken, insert_requests
from shared.contracts.topics import CONTACTS, REQUESTS
from shared.errors import Retryable
from shared.outbox import Outbox
from shared.postgres import Connection, Database

ACCEPTED = Count("punctual_intake_requests_accepted_total", "Requests accepted.", ["channel", "kind"])


async def take_in(database: Database, outbox: Outbox, group: Sequence[Offer], patience: timedelta) -> list[Outcome]:
    """Commit the group; the outcomes in its order. A key that occurs twice in it is settled by the first.

    Args:
        patience: how long to wait for a key or a customer that another transaction holds.

    Raises:
        NameClash, KeyInFlight, CustomerBusy, Unstorable: nothing is stored; one of the group is at fault.
        DatabaseUnavailable: whether the commit happened may be unknown.
    """
    arrivals = [offer.arrival for offer in group]
    answers: Mapping[tuple[str, str], Answer] = {}
    async with writing(database) as connection:
        taken = await insert_requests(connection, arrivals, patience)
        if len(taken) < len(arrivals):
            repeats = [arrival for arrival in arrivals if arrival.submission.request_id not in taken]
            answers = await find_answers(connection, {(a.submission.channel, a.key) for a in repeats})
        woken = [a.submission.request_id for a in arrivals if a.wakes_rules and a.submission.request_id in taken]
        if woken:
            await add_tasks(connection, woken)
        if taken:
            await _tell(connection, outbox, group, taken)
    for labels, count in Counter(
        (a.submission.channel, a.submission.kind) for a in arrivals if a.submission.request_id in taken
    ).items():
        ACCEPTED.labels(*labels).inc(count)
    return [
        Settled(arrival.status, arrival.body, arrival.submission)
        if arrival.submission.request_id in taken
        else _repeated(arrival, answers)
        for arrival in arrivals
    ]


async def _tell(connection: Connection, outbox: Outbox, group: Sequence[Offer], taken: Mapping[UUID, Taken]) -> None:
    told = [
        (offer.arrival.submission, stored, offer.trace)
        for offer in group
        if (stored := taken.get(offer.arrival.submission.request_id)) is not None
    ]
    await outbox.append(connection, REQUESTS, (submission_event(*one) for one in told))
    await outbox.append(connection, CONTACTS, (contact_event(*one) for one in told if one[1].is_contact_news))


def _repeated(arrival: Arrival, answers: Mapping[tuple[str, str], Answer]) -> Outcome:
    answer = answers.get((arrival.submission.channel, arrival.key))
    if answer is None:
        return Retryable("the answer was forgotten this very moment")  # the key is free now
    if answer.fingerprint != arrival.fingerprint:
        return KeyReused("the key stands for another call")
    return Settled(answer.status, answer.body, None)
