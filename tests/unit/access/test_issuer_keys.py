"""How an issuer's keys are fetched, kept and renewed."""

from __future__ import annotations

import asyncio

import pytest

from shared.http import KeyRing, Problem
from shared.http.access import Identification
from shared.http.access.issuer import IssuerUnavailable
from tests.access.issuing import ISSUER, NOW, IssuerInMemory, published, token_of


@pytest.fixture
def issuer() -> IssuerInMemory:
    return IssuerInMemory()


def fetches(issuer: IssuerInMemory) -> int:
    return sum(path.endswith("/.well-known/openid-configuration") for path in issuer.asked)


async def test_keys_are_fetched_once_for_all_who_wait(issuer: IssuerInMemory) -> None:
    keys = issuer.issuer_keys()
    assert fetches(issuer) == 0
    await asyncio.gather(*(keys.keys("first") for _ in range(20)))
    assert fetches(issuer) == 1


async def test_a_new_key_is_looked_for_but_not_more_often_than_every_few_seconds(issuer: IssuerInMemory) -> None:
    keys = issuer.issuer_keys()
    await keys.keys("first")
    issuer.keys.append(published("second"))
    assert not (await keys.keys("second")).knows("second")
    issuer.elapsed += 5
    assert (await keys.keys("second")).knows("second")
    for number in range(20):
        await keys.keys(f"made up {number}")
    assert fetches(issuer) == 2


async def test_known_keys_go_on_working_while_the_issuer_is_away(issuer: IssuerInMemory) -> None:
    keys = issuer.issuer_keys()
    await keys.keys("first")
    issuer.is_away = True
    issuer.elapsed += 10_000
    assert (await keys.keys("first")).knows("first")
    await asyncio.sleep(0)
    with pytest.raises(IssuerUnavailable):
        await keys.keys("second")
    assert (await keys.keys("first")).knows("first")


async def test_a_withdrawn_key_stops_working(issuer: IssuerInMemory) -> None:
    keys = issuer.issuer_keys()
    await keys.keys("first")
    issuer.keys = [published("second")]
    issuer.elapsed += 601
    await keys.keys("first")
    while fetches(issuer) < 2 or len(issuer.asked) < 4:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not (await keys.keys(None)).knows("first")


async def test_without_any_keys_the_answer_is_503_and_after_the_return_all_is_well(issuer: IssuerInMemory) -> None:
    identification = Identification(KeyRing([]), issuer.trusted(), lambda: NOW, retry_after_seconds=7)
    issuer.is_away = True
    for _ in range(2):
        with pytest.raises(Problem) as refused:
            await identification.identify(f"Bearer {token_of('handler')}")
        assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "7"})
    assert fetches(issuer) == 1
    issuer.is_away = False
    issuer.elapsed += 5
    assert (await identification.identify(f"Bearer {token_of('handler')}")).roles == {"handler"}


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://other.example", "jwks_uri": f"{ISSUER}/keys"},
        {"issuer": ISSUER, "jwks_uri": "http://login.insurer.example/keys"},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks_uri": "https://["},
    ],
)
async def test_a_discovery_document_that_cannot_be_trusted_gives_no_keys(
    issuer: IssuerInMemory, discovery: dict[str, str]
) -> None:
    issuer.discovery = discovery
    with pytest.raises(IssuerUnavailable):
        await issuer.issuer_keys().keys("first")


async def test_keys_that_are_none_are_as_if_the_issuer_were_away(issuer: IssuerInMemory) -> None:
    issuer.keys = []
    with pytest.raises(IssuerUnavailable):
        await issuer.issuer_keys().keys("first")


async def test_a_token_of_another_issuer_costs_no_look_up(issuer: IssuerInMemory) -> None:
    identification = Identification(KeyRing([]), issuer.trusted(), lambda: NOW)
    with pytest.raises(Problem):
        await identification.identify(f"Bearer {token_of('handler', iss='https://other.example')}")
    assert issuer.asked == []
