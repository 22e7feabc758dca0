"""The authorization endpoint: shows the sign-in, looks at the password, sends the browser back with a code."""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Cookie, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from punctual.local.issuer import pages
from punctual.local.issuer.accounts import AccountBook
from punctual.local.issuer.attempts import Attempts
from punctual.local.issuer.clients import CLIENTS, is_challenge, may_be_answered_at
from punctual.local.issuer.forms import BrokenForm, read_form, read_pairs
from punctual.local.issuer.grants import SIGN_IN_SECONDS, Code, SignIn, Waiting
from shared.clock import monotonic, real_now
from shared.ids import new_secret
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_COOKIE = "punctual_issuer"
_LONGEST = 512  # characters of a state or a nonce
_SCOPES = frozenset({"openid", "offline_access"})
_HASHES_AT_ONCE = 2  # of 64 MiB each

Browser = Annotated[str | None, Cookie(alias=_COOKIE)]


class Desk:
    """Args:
    issuer: our URL.
    codes: where a sign-in that succeeded waits to be redeemed.
    """

    def __init__(self, issuer: str, book: AccountBook, codes: Waiting[Code]) -> None:
        self._issuer = issuer
        self._book = book
        self._codes = codes
        self._sign_ins: Waiting[SignIn] = Waiting(SIGN_IN_SECONDS)
        self._attempts = Attempts()
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)

    def home(self) -> Response:
        """For whoever opens the address in a browser."""
        return HTMLResponse(pages.home_page(), headers=pages.headers())

    def ask(self, query: dict[str, str], browser: str | None) -> Response:
        """The page with the form, if a known program asks in the right way."""
        client_id, redirect_uri = query.get("client_id", ""), query.get("redirect_uri", "")
        if client_id not in CLIENTS or not may_be_answered_at(client_id, redirect_uri):
            # Never sent on: the address may be a stranger's.
            return _error("An unknown program asks, or wants its answer at an address that is not its own.")
        wrong = _what_is_wrong(query)
        if wrong is not None:
            code, description = wrong
            answer = {"error": code, "error_description": description, "state": query.get("state", "")[:_LONGEST]}
            return _back(redirect_uri, {**answer, "iss": self._issuer})
        browser = browser if browser and len(browser) == len(new_secret()) else new_secret()
        sign_in = SignIn(
            client_id=client_id,
            redirect_uri=redirect_uri,
            state=query["state"],
            scope=" ".join(word for word in query.get("scope", "").split() if word in _SCOPES),
            nonce=query.get("nonce"),
            challenge=query["code_challenge"],
            browser=browser,
        )
        page = self._page(sign_in, self._sign_ins.put(sign_in, monotonic()))
        page.set_cookie(
            _COOKIE, browser, max_age=int(SIGN_IN_SECONDS), path="/authorize", httponly=True, samesite="strict"
        )
        return page

    async def answer(self, form: dict[str, str], browser: str | None, address: str) -> Response:
        """Back to the program with a code, or the page again."""
        ticket, name = form.get("ticket", ""), form.get("name", "").strip()[:_LONGEST]
        sign_in = self._sign_ins.get(ticket, monotonic())
        if sign_in is None or not secrets.compare_digest(sign_in.browser.encode(), (browser or "").encode()):
            return _error("This sign-in is over, or was begun in another browser. Begin again where you came from.")
        wait = self._attempts.begin(name, address, monotonic())
        if wait:
            page = self._page(sign_in, ticket, 429, name, f"Too many attempts. Try again in {-(-wait // 60)} minutes.")
            page.headers["Retry-After"] = str(wait)
            return page
        async with self._hashing:
            account = await asyncio.to_thread(self._book.check, name, form.get("password", ""))
        if account is None:
            _log.info("sign-in refused")
            return self._page(sign_in, ticket, 403, name, "Account or password is wrong.")
        self._attempts.succeeded(name, address)
        self._sign_ins.drop(ticket)
        _log.info("signed in", account=account.name, client=sign_in.client_id)
        code = self._codes.put(Code(sign_in, account.name, int(real_now().timestamp())), monotonic())
        return _back(sign_in.redirect_uri, {"code": code, "state": sign_in.state, "iss": self._issuer})

    def _page(self, sign_in: SignIn, ticket: str, status: int = 200, name: str = "", wrong: str = "") -> HTMLResponse:
        page = pages.sign_in_page(ticket, client_id=sign_in.client_id, name=name, wrong=wrong)
        parts = urlsplit(sign_in.redirect_uri)
        return HTMLResponse(page, status, headers=pages.headers(f"{parts.scheme}://{parts.netloc}"))


def authorize_routes(desk: Desk, issuer: str) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/")
    async def home() -> Response:
        return desk.home()

    @router.get("/authorize")
    async def ask(request: Request, browser: Browser = None) -> Response:
        try:
            return desk.ask(read_pairs(request.url.query), browser)
        except BrokenForm as error:
            return _error(f"The address is wrong: {error}.")

    @router.post("/authorize")
    async def answer(request: Request, browser: Browser = None) -> Response:
        if request.headers.get("origin") not in (None, issuer):
            return _error("The form was sent from another page.")
        try:
            form = await read_form(request)
        except BrokenForm as error:
            return _error(f"The form is wrong: {error}.")
        return await desk.answer(form, browser, request.client.host if request.client else "")

    return router


def _what_is_wrong(query: dict[str, str]) -> tuple[str, str] | None:
    """OAuth's code for what is wrong with a request of a known program, and a sentence."""
    if query.get("response_type") != "code":
        return "unsupported_response_type", "response_type must be code"
    if query.get("code_challenge_method") != "S256" or not is_challenge(query.get("code_challenge", "")):
        return "invalid_request", "PKCE with the method S256 is needed"
    if not query.get("state") or len(query["state"]) > _LONGEST or len(query.get("nonce", "")) > _LONGEST:
        return "invalid_request", "state is needed, and neither it nor nonce may be long"
    if query.get("prompt") == "none":
        return "login_required", "nobody stays signed in here"
    return None


def _back(redirect_uri: str, answer: dict[str, str]) -> RedirectResponse:
    return RedirectResponse(f"{redirect_uri}?{urlencode(answer)}", 303, headers=pages.headers())


def _error(message: str) -> HTMLResponse:
    return HTMLResponse(pages.error_page(message), 400, headers=pages.headers())
