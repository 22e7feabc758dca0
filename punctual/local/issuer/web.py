"""The issuer's application: discovery, keys, sign-in, tokens."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from punctual.local.issuer.accounts import AccountBook
from punctual.local.issuer.authorizing import Desk, authorize_routes
from punctual.local.issuer.grants import CODE_SECONDS, Code, Waiting
from punctual.local.issuer.minting import Mint
from punctual.local.issuer.sessions import Sessions
from punctual.local.issuer.signing_keys import ALGORITHM, SigningKeys
from punctual.local.issuer.token_endpoint import token_routes
from shared.http import create_app

_BODY_LIMIT = 20_000  # bytes; a form with a password


def create_web(issuer: str, audience: str, *, book: AccountBook, keys: SigningKeys, sessions: Sessions) -> FastAPI:
    """Args:
    issuer: our own URL, as it stands in the tokens.
    audience: of access tokens.
    """

    async def readiness() -> dict[str, str | None]:
        return {"accounts": None}

    app = create_app("issuer", readiness=readiness, body_limit=_BODY_LIMIT, docs_url=None, openapi_url=None)
    codes: Waiting[Code] = Waiting(CODE_SECONDS)
    app.include_router(authorize_routes(Desk(issuer, book, codes), issuer))
    app.include_router(token_routes(book, codes, sessions, Mint(keys, issuer, audience)))

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, Any]:
        return describe(issuer)

    @app.get("/jwks")
    async def jwks() -> dict[str, Any]:
        return keys.published()

    return app


def describe(issuer: str) -> dict[str, Any]:
    """The discovery document (OpenID Connect Discovery 1.0)."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "revocation_endpoint": f"{issuer}/revoke",
        "jwks_uri": f"{issuer}/jwks",
        "scopes_supported": ["openid", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "authorization_response_iss_parameter_supported": True,
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "preferred_username", "roles", "teams"],
    }
