"""The token endpoint: a code or a refresh token becomes an access token. And the revocation endpoint."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from punctual.local.issuer.accounts import AccountBook
from punctual.local.issuer.clients import CLIENTS, proves
from punctual.local.issuer.forms import BrokenForm, read_form
from punctual.local.issuer.grants import Code, Waiting
from punctual.local.issuer.minting import Mint
from punctual.local.issuer.sessions import Sessions
from shared.clock import monotonic, real_now

_NO_STORE = {"Cache-Control": "no-store"}


class _Refused(Exception):
    """Attributes:
    code: of RFC 6749.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


def token_routes(book: AccountBook, codes: Waiting[Code], sessions: Sessions, mint: Mint) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    desk = _TokenDesk(book, codes, sessions, mint)

    @router.post("/token")
    async def token(request: Request) -> JSONResponse:
        try:
            answer = desk.exchange(await read_form(request))
        except BrokenForm as error:
            return _error("invalid_request", str(error))
        except _Refused as refused:
            return _error(refused.code, refused.description)
        return JSONResponse(answer, headers=_NO_STORE)

    @router.post("/revoke")
    async def revoke(request: Request) -> Response:
        """RFC 7009: the answer is the same whether the token was good or not."""
        try:
            form = await read_form(request)
        except BrokenForm as error:
            return _error("invalid_request", str(error))
        desk.revoke(form.get("token", ""), form.get("client_id", ""))
        return Response(headers=_NO_STORE)

    return router


def _error(code: str, description: str) -> JSONResponse:
    return JSONResponse({"error": code, "error_description": description}, 400, headers=_NO_STORE)


class _TokenDesk:
    def __init__(self, book: AccountBook, codes: Waiting[Code], sessions: Sessions, mint: Mint) -> None:
        self._book = book
        self._codes = codes
        self._sessions = sessions
        self._mint = mint

    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        """Raises _Refused."""
        if form.get("client_id", "") not in CLIENTS:
            raise _Refused("invalid_client", "an unknown program asks")
        match form.get("grant_type"):
            case "authorization_code":
                return self._redeem(form)
            case "refresh_token":
                return self._renew(form)
            case _:
                raise _Refused("unsupported_grant_type", "authorization_code and refresh_token are understood")

    def revoke(self, token: str, client_id: str) -> None:
        """End the session of a refresh token: a good one, or one that was good once."""
        renewed = self._sessions.renew(token, client_id, real_now())
        if renewed is not None:
            self._sessions.end(token.partition(".")[0])

    def _redeem(self, form: dict[str, str]) -> dict[str, Any]:
        code = self._codes.get(form.get("code", ""), monotonic())
        if code is None:
            raise _Refused("invalid_grant", "the code is unknown or too old")
        if code.family is not None:  # two have the code: whoever came first may be the thief
            self._sessions.end(code.family)
            raise _Refused("invalid_grant", "the code was used already; its tokens are withdrawn")
        sign_in = code.sign_in
        is_right = (
            sign_in.client_id == form["client_id"]
            and sign_in.redirect_uri == form.get("redirect_uri")
            and proves(form.get("code_verifier", ""), sign_in.challenge)
        )
        account = self._book.find(code.account)
        if not is_right or account is None:
            self._codes.drop(form["code"])  # whoever holds it without the verifier gets no second guess
            raise _Refused("invalid_grant", "the code was given to another program, or the verifier is wrong")
        now = real_now()
        code.family, refresh = self._sessions.begin(
            account.name, sign_in.client_id, sign_in.scope, code.signed_in_at, now
        )
        answer = self._mint.tokens(
            account,
            sign_in.client_id,
            sign_in.scope,
            signed_in_at=code.signed_in_at,
            nonce=sign_in.nonce,
            now=now,
        )
        return {**answer, "refresh_token": refresh}

    def _renew(self, form: dict[str, str]) -> dict[str, Any]:
        now = real_now()
        token = form.get("refresh_token", "")
        renewed = self._sessions.renew(token, form["client_id"], now)
        account = None if renewed is None else self._book.find(renewed[0].account)
        if renewed is None or account is None:
            raise _Refused("invalid_grant", "the refresh token is not good; sign in again")
        session, refresh = renewed
        answer = self._mint.tokens(
            account, session.client_id, session.scope, signed_in_at=session.signed_in_at, nonce=None, now=now
        )
        return {**answer, "refresh_token": refresh}
