"""From news to notices: one transaction reads the projections, lets the domain decide, and writes what changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.notifier.domain import notice as moves
from services.notifier.domain.news import ContactNews, ErasureNews, News
from services.notifier.domain.notice import Notice
from services.notifier.domain.readiness import settle
from services.notifier.domain.request_file import RequestFile
from services.notifier.domain.roles import RolesDirectory
from services.notifier.domain.views import Contact, RequestView
from services.notifier.domain.words import Reason
from services.notifier.handlers.saying import count_moves, say, say_erased
from services.notifier.handlers.writing import Writer
from services.notifier.store.notices import NoticeStore
from services.notifier.store.personal import PersonalStore, Rendering
from services.notifier.store.subjects import SubjectStore
from shared.clock import Clock
from shared.contracts.clocks import ClockBreachWithdrawn
from shared.contracts.payload import Language
from shared.contracts.requests import RequestSubmitted
from shared.contracts.topics import NOTICES
from shared.encryption import MasterKeys
from shared.ids import new_id
from shared.outbox import Outbox
from shared.postgres import Connection
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """A batch, sorted by what it is about; each part keeps its order."""

    requests: Sequence[tuple[UUID, News]]
    contacts: Sequence[ContactNews | ErasureNews]


class Planner:
    """Applies news. Shared state lies in Postgres only."""

    def __init__(
        self,
        *,
        clock: Clock,
        outbox: Outbox,
        master_keys: MasterKeys,
        roles: RolesDirectory,
        writer: Writer,
        wake: Callable[[], None],
    ) -> None:
        """Args:
        master_keys: encrypt our keys of customers.
        wake: called when something may be claimed once the caller's transaction has committed.
        """
        self._clock = clock
        self._outbox = outbox
        self._master_keys = master_keys
        self._roles = roles
        self._writer = writer
        self._wake = wake

    async def apply(self, connection: Connection, heard: Heard) -> None:
        """Raises:
        MasterKeyMissing: the key of a customer cannot be unwrapped here.
        """
        subjects, store = SubjectStore(connection), NoticeStore(connection)
        personal = PersonalStore(connection, self._master_keys)
        contacts = await self._contacts(connection, personal, heard)
        request_ids = {request_id for request_id, _ in heard.requests}
        await subjects.ensure_requests(request_ids)
        request_ids |= await subjects.requests_to_tell({news.customer_id for news in heard.contacts})
        locked = await subjects.lock_requests(request_ids)
        if locked.real_now is None:
            return  # a contact that nothing waits for
        found = await store.lock_live_notices(request_ids, with_told=_withdrawn(heard))
        before = {each.notice.notice_id: each.notice for each in found}
        languages = {each.notice.notice_id: each.language for each in found if each.language}
        files = self._files(locked.views, before.values())
        for request_id, news in heard.requests:
            files[request_id].hear(news)
        await self._take_keys(store, files)
        contacts |= await personal.lock_contacts(_customers(files) - contacts.keys())
        await self._write(connection, personal, files, before, languages, contacts, locked.views, locked.real_now)

    async def _contacts(self, connection: Connection, personal: PersonalStore, heard: Heard) -> dict[UUID, Contact]:
        customers = {news.customer_id for news in heard.contacts}
        customers |= {n.data.customer_id for _, n in heard.requests if isinstance(n.data, RequestSubmitted)}
        customers |= await SubjectStore(connection).customers_of({request_id for request_id, _ in heard.requests})
        contacts = await personal.lock_contacts(customers)
        changed: dict[UUID, Contact] = {}
        erasures: dict[UUID, ErasureNews] = {}
        for news in heard.contacts:
            former = contacts[news.customer_id]
            contact = _heard_contact(former, news)
            if contact != former:
                contacts[contact.customer_id] = changed[contact.customer_id] = contact
            if isinstance(news, ErasureNews) and not former.is_erased:
                erasures[news.customer_id] = news
        await personal.save_contacts(list(changed.values()))
        mails = await personal.destroy(erasures)
        await self._outbox.append(connection, NOTICES, say_erased(erasures.values(), mails, self._clock.now()))
        return contacts

    def _files(self, views: Mapping[UUID, RequestView], notices: Iterable[Notice]) -> dict[UUID, RequestFile]:
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
        personal: PersonalStore,
        files: Mapping[UUID, RequestFile],
        before: Mapping[UUID, Notice],
        languages: Mapping[UUID, Language],
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
        events = say(views, ended, languages, now)
        await store.save_notices(changed)
        await store.save_facts([n for n in changed if n.notice_id in before and n.facts != before[n.notice_id].facts])
        await personal.save_renderings(renderings)
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


def _heard_contact(contact: Contact, news: ContactNews | ErasureNews) -> Contact:
    """Whoever was erased stays erased: their key is gone, and whoever comes again is a new customer."""
    if isinstance(news, ErasureNews):
        return replace(contact, name=None, email=None, is_erased=True)
    if contact.is_erased or news.version <= contact.version:
        return contact
    return Contact(contact.customer_id, news.version, news.name, news.email)


def _withdrawn(heard: Heard) -> Collection[UUID]:
    return {request_id for request_id, news in heard.requests if isinstance(news.data, ClockBreachWithdrawn)}
