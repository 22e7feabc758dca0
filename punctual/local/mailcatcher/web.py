"""The browser pages over the mails kept."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, Response

from punctual.local.mailcatcher import pages
from punctual.local.mailcatcher.addressing import Before, Containing, MailId, entry_of
from punctual.local.mailcatcher.api import api_routes
from punctual.local.mailcatcher.mailbox import Mailbox
from punctual.local.mailcatcher.reading import read_mail
from shared.http import create_app

_PAGE_SIZE = 50

_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_PAGE_HEADERS = {
    **_SAFE,
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'",
}
# A mail's own HTML may neither run scripts, nor load anything, nor reach the page around it.
_MAIL_HEADERS = {
    **_SAFE,
    "Content-Security-Policy": "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "img-src data:; style-src 'unsafe-inline'",
}


def create_web(mailbox: Mailbox) -> FastAPI:
    """The application of the mail catcher: pages and API."""

    async def readiness() -> dict[str, str | None]:
        return {"mailbox": None}

    app = create_app("mail", readiness=readiness)
    app.include_router(page_routes(mailbox))
    app.include_router(api_routes(mailbox))
    return app


def page_routes(mailbox: Mailbox) -> APIRouter:
    """The list, one mail, its HTML part for the frame, and its bytes."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/")
    async def list_page(before: Before = None, containing: Containing = "") -> HTMLResponse:
        mails, has_older = mailbox.page(_PAGE_SIZE, before=before, containing=containing)
        page = pages.list_page(
            mails, count=mailbox.count, containing=containing, has_older=has_older, is_first=before is None
        )
        return HTMLResponse(page, headers=_PAGE_HEADERS)

    @router.get("/messages/{mail_id}")
    async def mail_page(mail_id: MailId) -> HTMLResponse:
        entry = entry_of(mailbox, mail_id)
        return HTMLResponse(pages.mail_page(entry, read_mail(mailbox.raw(entry))), headers=_PAGE_HEADERS)

    @router.get("/messages/{mail_id}/html")
    async def mail_html(mail_id: MailId) -> HTMLResponse:
        mail = read_mail(mailbox.raw(entry_of(mailbox, mail_id)))
        return HTMLResponse(pages.LINKS_OPEN_OUTSIDE + (mail.html or ""), headers=_MAIL_HEADERS)

    @router.get("/messages/{mail_id}/raw")
    async def mail_raw(mail_id: MailId) -> Response:
        disposition = {"Content-Disposition": f'attachment; filename="mail-{mail_id}.eml"'}
        raw = mailbox.raw(entry_of(mailbox, mail_id))
        return Response(raw, media_type="message/rfc822", headers={**_MAIL_HEADERS, **disposition})

    return router
