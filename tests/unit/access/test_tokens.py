"""What is checked of a token, and how exactly in its time."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.access.keyset import read_keys
from shared.http.access.tokens import LEEWAY, TokenRefused, check_token, read_header
from tests.access.issuing import AUDIENCE, ISSUER, NOW, SORTS, claims_of, private_key, published, token_of


def check(token: str, *keys: dict[str, Any], now: datetime = NOW) -> Any:
    header = read_header(token, ISSUER)
    known = read_keys({"keys": list(keys) or [published("first")]})
    return check_token(token, header, known, issuer=ISSUER, audience=AUDIENCE, now=now)


def refusal(token: str, *keys: dict[str, Any], now: datetime = NOW) -> str:
    with pytest.raises(TokenRefused) as refused:
        check(token, *keys, now=now)
    assert token not in refused.value.message
    return refused.value.reason


@pytest.mark.parametrize("algorithm", SORTS)
def test_every_accepted_algorithm_is_understood_with_its_key(algorithm: str) -> None:
    token = token_of("handler", key_id=f"a {algorithm} key", algorithm=algorithm)
    assert check(token, published(f"a {algorithm} key", algorithm))["roles"] == ["handler"]


def test_a_token_is_good_from_its_beginning_to_its_end_and_a_little_more() -> None:
    token = token_of(iat=NOW, nbf=NOW, exp=NOW + timedelta(minutes=15))
    second = timedelta(seconds=1)
    end = NOW + timedelta(minutes=15)
    assert check(token, now=NOW - LEEWAY)
    assert check(token, now=end + LEEWAY - second)
    assert refusal(token, now=NOW - LEEWAY - second) == "not_yet_valid"
    assert refusal(token, now=end + LEEWAY) == "expired"
    assert refusal(token_of(nbf=NOW + LEEWAY + second)) == "not_yet_valid"


@pytest.mark.parametrize("claim", ["exp", "iat", "aud", "sub"])
def test_a_token_without_a_claim_that_is_needed_is_refused(claim: str) -> None:
    changed: dict[str, Any] = {claim: None}
    assert refusal(token_of(**changed)) in {"claim_missing", "wrong_audience"}


@pytest.mark.parametrize("value", ["soon", True, -1, 1e300, 10**400])
def test_an_instant_that_is_none_is_refused(value: Any) -> None:
    assert refusal(token_of(exp=value)) == "malformed"


def test_the_audience_may_be_one_of_several() -> None:
    assert check(token_of(aud=["payroll", AUDIENCE]))
    assert refusal(token_of(aud=["payroll"])) == "wrong_audience"


def test_a_key_signs_with_its_own_algorithm_only() -> None:
    assert refusal(token_of(key_id="r", algorithm="RS256"), published("r", "PS256")) == "unknown_key"


def test_a_public_key_is_no_shared_secret() -> None:
    forged = jwt.encode(claims_of("administrator"), base64.b64encode(b"the public key" * 4), "HS256", {"kid": "first"})
    assert refusal(forged) == "wrong_algorithm"


def test_a_token_that_names_no_key_is_checked_with_the_only_one() -> None:
    token = jwt.encode(claims_of(), private_key("first"), "ES256")
    assert check(token)
    assert refusal(token, published("first"), published("second")) == "unknown_key"


def test_an_extension_that_must_be_understood_and_is_not_is_refused() -> None:
    header = {"kid": "first", "crit": ["exp"]}
    token = jwt.api_jws.PyJWS().encode(b"{}", private_key("first"), "ES256", header)
    with pytest.raises(TokenRefused):
        read_header(token, ISSUER)


@pytest.mark.parametrize(
    "weak",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "first"},
        {**published("first"), "use": "enc"},
        {**published("first"), "key_ops": ["sign"]},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "first"},
        "no key",
    ],
)
def test_a_key_that_is_not_for_checking_signatures_is_left_out(weak: Any) -> None:
    with pytest.raises(ValueError, match="no key that tokens could be checked with"):
        read_keys({"keys": [weak]})


@given(st.text(max_size=60) | st.just("a." + "W1tb" * 4000 + ".b"))
def test_whatever_is_no_token_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(TokenRefused):
        read_header(text, ISSUER)


def test_json_nested_without_end_is_refused() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 6000).decode().rstrip("=")
    head = base64.urlsafe_b64encode(b'{"alg":"ES256"}').decode().rstrip("=")
    assert refusal(f"{head}.{deep}.AA") == "malformed"
