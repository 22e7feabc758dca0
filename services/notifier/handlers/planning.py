"""From news to notices: one transaction reads the projections, lets the domain decide, and writes what changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.notifier.domain import notice as moves
from services.notifier.domain.news import News
from services.notifier.domain.notice import Notice
from services.notifier.domain.readiness import settle
from services.notifier.domain.request_file import RequestFile
from services.notifier.domain.roles import RolesDirectory
from services.notifier.domain.views import Contact, RequestView
from services.notifier.domain.words import Reason
from services.notifier.handlers.saying import count_moves, say
from services.notifier.handlers.writing import Writer
from services.notifier.store.notices import NoticeStore, Rendering
from services.notifier.store.subjects import SubjectStore
from shared.clock import Clock
from shared.contracts.clocks import ClockBreachWithdrawn
from shared.contracts.contacts import ContactRecorded
from shared.contracts.envelope import Tombstone
from shared.contracts.requests import RequestSubmitted
from shared.contracts.topics import NOTICES
from shared.ids import new_id
from shared.outbox import Outbox
from shared.postgres import Connection
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """A batch, sorted by what it is about; each part keeps its order."""

    requests: Sequence[tuple[UUID, News]]
    contacts: Sequence[ContactRecorded | Tombstone]


class Planner:
    """Applies news. Shared state lies in Postgres only."""

    def __init__(
        self, *, clock: Clock, outbox: Outbox, roles: RolesDirectory, writer: Writer, wake: Callable[[], None]
    ) -> None:
        """Args:
        wake: called when something may be claimed once the caller's transaction has committed.
        """
        self._clock = clock
        self._outbox = outbox
        self._roles = roles
        self._writer = writer
        self._wake = wake

    async def apply(self, connection: Connection, heard: Heard) -> None:
        subjects, store = SubjectStore(connection), NoticeStore(connection)
        contacts = await self._contacts(subjects, heard)
        request_ids = {request_id for request_id, _ in heard.requests}
        await subjects.ensure_requests(request_ids)
        request_ids |= await subjects.requests_to_tell({_customer(news) for news in heard.contacts})
        locked = await subjects.lock_requests(request_ids)
        if locked.real_now is None:
            return  # a contact that nothing waits for
        live = await store.lock_live_notices(request_ids, with_told=_withdrawn(heard))
        files = self._files(locked.views, live)
        for request_id, news in heard.requests:
            files[request_id].hear(news)
        await self._take_keys(store, files)
        contacts |= await subjects.lock_contacts(_customers(files) - contacts.keys())
        before = {notice.notice_id: notice for notice in live}
        await self._write(connection, files, before, contacts, locked.views, locked.real_now)

    async def _contacts(self, subjects: SubjectStore, heard: Heard) -> dict[UUID, Contact]:
        customers = {_customer(news) for news in heard.contacts}
        customers |= {n.data.customer_id for _, n in heard.requests if isinstance(n.data, RequestSubmitted)}
        customers |= await subjects.customers_of({request_id for request_id, _ in heard.requests})
        contacts = await subjects.lock_contacts(customers)
        changed: dict[UUID, Contact] = {}
        for news in heard.contacts:
            contact = _heard_contact(contacts[_customer(news)], news)
            contacts[contact.customer_id] = changed[contact.customer_id] = contact
        await subjects.save_contacts(list(changed.values()))
        await subjects.erase_renderings([contact.customer_id for contact in changed.values() if contact.is_erased])
        return contacts

    def _files(self, views: Mapping[UUID, RequestView], notices: Sequence[Notice]) -> dict[UUID, RequestFile]:
        by_request: dict[UUID, list[Notice]] = defaultdict(list)
        for notice in notices:
            by_request[notice.key.request_id].append(notice)
        now = self._clock.now()
        return {
            request_id: RequestFile(view, by_request[request_id], now=now, new_id=new_id)
            for request_id, view in views.items()
        }

    async def _take_keys(self, store: NoticeStore, files: Mapping[UUID, RequestFile]) -> None:
        """Insert the new notices; what was planned long ago is dropped here, whatever brought it up again."""
        planned = [(file, n) for file in files.values() for n in file.notices.values() if n.notice_id in file.planned]
        free = await store.insert_notices([notice for _, notice in planned])
        for file, notice in planned:
            if notice.notice_id not in free:
                file.drop(notice.notice_id)

    async def _write(
        self,
        connection: Connection,
        files: Mapping[UUID, RequestFile],
        before: Mapping[UUID, Notice],
        contacts: Mapping[UUID, Contact],
        former: Mapping[UUID, RequestView],
        real_now: datetime,
    ) -> None:
        subjects, store, now = SubjectStore(connection), NoticeStore(connection), self._clock.now()
        views = {request_id: file.view for request_id, file in files.items()}
        changed: list[Notice] = []
        renderings: list[Rendering] = []
        for request_id, file in files.items():
            for notice in file.notices.values():
                settled, rendering = self._settle(notice, views[request_id], contacts, real_now, now)
                if settled != before.get(notice.notice_id):
                    changed.append(settled)
                if rendering is not None:
                    renderings.append(rendering)
        ended = [notice for notice in changed if not notice.is_live]
        events = say(views, ended, {}, now)
        await store.save_notices(changed)
        await store.save_renderings(renderings)
        await subjects.save_requests([view for request_id, view in views.items() if view != former[request_id]])
        await self._outbox.append(connection, NOTICES, events)
        count_moves(before, changed)
        if renderings:
            self._wake()

    def _settle(
        self,
        notice: Notice,
        view: RequestView,
        contacts: Mapping[UUID, Contact],
        real_now: datetime,
        now: datetime,
    ) -> tuple[Notice, Rendering | None]:
        contact = contacts.get(view.submission.customer_id) if view.submission else None
        settled = settle(notice, view, contact, self._roles, now=now, real_now=real_now)
        if not settled.needs_words:
            return settled.notice, None
        try:
            return settled.notice, self._writer.write(settled.notice, view, contact, real_now)
        except ValueError:
            _log.exception("a notice could not be written", notice_id=str(notice.notice_id), kind=notice.key.kind)
            return moves.suppress(settled.notice, Reason.UNWRITABLE, now), None


def _customers(files: Mapping[UUID, RequestFile]) -> set[UUID]:
    """Whose contacts matter: more than were locked when a submission was committed while we waited for its row."""
    return {file.view.submission.customer_id for file in files.values() if file.view.submission}


def _customer(news: ContactRecorded | Tombstone) -> UUID:
    return news.subject if isinstance(news, Tombstone) else news.customer_id


def _heard_contact(contact: Contact, news: ContactRecorded | Tombstone) -> Contact:
    if isinstance(news, Tombstone):
        return replace(contact, name=None, email=None, is_erased=True)
    if news.version <= contact.version:
        return contact
    return Contact(contact.customer_id, news.version, news.name, news.email)


def _withdrawn(heard: Heard) -> Collection[UUID]:
    return {request_id for request_id, news in heard.requests if isinstance(news.data, ClockBreachWithdrawn)}
