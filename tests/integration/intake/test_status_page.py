"""The customer's page: plain words in three languages, nothing personal, told to nobody else."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from shared.ids import new_token
from tests.integration.intake.front_door import SUBMISSION, Intake


class _Reader(HTMLParser):
    """Collects text and checks that every element is closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.language = ""
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.language = dict(attrs)["lang"] or ""
        if tag not in ("meta", "br", "input"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


async def _page(intake: Intake, view: dict[str, Any], **how: Any) -> httpx.Response:
    return await intake.nobody.get(httpx.URL(view["status_url"]).path, **how)


@pytest.mark.parametrize(
    ("language", "stage"),
    [
        ("en", "It is waiting for a member of our staff"),
        ("zh-Hant", "正等候同事處理"),
        ("zh-Hans", "正在等待工作人员处理"),
    ],
)
async def test_the_page_speaks_the_readers_language(intake: Intake, language: str, stage: str) -> None:
    view = await intake.submit()
    for how in ({"headers": {"Accept-Language": language}}, {"params": {"lang": language}}):
        answer = await _page(intake, view, **how)
        assert answer.status_code == 200
        reader = _Reader(answer.text)
        assert reader.language == language
        assert stage in reader.text
        assert view["reference"] in reader.text


async def test_without_a_wish_it_speaks_the_language_of_the_request(intake: Intake) -> None:
    view = await intake.submit()
    assert _Reader((await _page(intake, view)).text).language == "zh-Hant"


async def test_nothing_personal_is_on_it_at_any_stage(intake: Intake) -> None:
    view = await intake.submit(external_id="OWN-1")
    pages = [await _page(intake, view)]
    await intake.move(view["reference"], "stage", stage="assessment", handler="s-104")
    await intake.move(view["reference"], "pause", reason="customer_documents")
    pages.append(await _page(intake, view))
    await intake.move(view["reference"], "close", outcome="declined", reason="not_proved", handler="s-104")
    pages.append(await _page(intake, view))
    for page in pages:
        for secret in ("陳美玲", "meiling", "2345", "C-1", "後保險桿", "12800", "OWN-1", "s-104", "declined", "app"):
            assert secret not in _Reader(page.text).text


async def test_it_follows_the_request(intake: Intake) -> None:
    view = await intake.submit()
    reference = view["reference"]

    async def text() -> str:
        return _Reader((await _page(intake, view, params={"lang": "en"})).text).text

    assert "We are working out the expected time" in await text()
    intake.clock.advance(timedelta(hours=5))
    await intake.move(reference, "stage", stage="assessment")
    await intake.move(reference, "pause", reason="customer_documents")
    assert "We are waiting for documents from you" in await text()
    await intake.move(reference, "response")
    await intake.move(reference, "resume", reason="customer_documents")
    assert "We are looking at the facts of your claim" in await text()
    await intake.move(reference, "close", outcome="paid")
    page = await text()
    assert "Your request was finished on Tuesday 24 November 2026, 2:30 pm (Hong Kong time)" in page
    assert "You were given an answer" in page


async def test_it_names_the_documents_that_are_still_missing(intake: Intake) -> None:
    view = await intake.submit()
    asked = ["receipts", "x_ray"]
    await intake.move(view["reference"], "pause", reason="customer_documents", documents=asked)
    assert "We still need: receipts, x ray." in (await _page(intake, view, params={"lang": "en"})).text
    assert "尚欠：收據、x ray。" in (await _page(intake, view)).text
    assert (await _data(intake, view)).json()["documents_missing"] == asked
    await intake.move(view["reference"], "documents", documents=["receipts"])
    assert "We still need: x ray." in (await _page(intake, view, params={"lang": "en"})).text
    await intake.move(view["reference"], "documents", documents=["x_ray"])
    assert "We still need" not in (await _page(intake, view, params={"lang": "en"})).text
    assert (await _data(intake, view)).json()["documents_missing"] == []


async def test_the_link_is_not_passed_on_or_found(intake: Intake) -> None:
    answer = await _page(intake, await intake.submit())
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert " style=" not in answer.text


async def test_an_unknown_link_says_so_in_the_readers_language(intake: Intake) -> None:
    view = await intake.submit()
    for token in (new_token(), "x", "%00" * 20, "é" * 20, view["reference"]):
        answer = await intake.nobody.get(f"/t/{token}", headers={"Accept-Language": "zh-TW"})
        assert answer.status_code == 404
        assert _Reader(answer.text).language == "zh-Hant"
        assert "no-referrer" in answer.headers["referrer-policy"]


async def test_every_kind_has_its_words(intake: Intake) -> None:
    for kind in ("policy_service", "underwriting", "enquiry", "complaint"):
        view = await intake.submit(kind=kind, customer=SUBMISSION["customer"] | {"language": "zh-Hans"})
        assert (await _page(intake, view)).status_code == 200


async def _data(intake: Intake, view: dict[str, Any], **how: Any) -> httpx.Response:
    return await intake.nobody.get(httpx.URL(view["status_url"]).path + ".json", **how)


async def test_the_data_say_what_the_page_says(intake: Intake) -> None:
    view = await intake.submit()
    await intake.move(view["reference"], "pause", reason="customer_documents")
    for language in ("en", "zh-Hant", "zh-Hans"):
        answer = await _data(intake, view, params={"lang": language})
        assert (answer.status_code, answer.headers["content-language"]) == (200, language)
        data = answer.json()
        page = _Reader((await _page(intake, view, params={"lang": language})).text).text
        for sentence in (*data["now"], data["expected_text"], data["reference"], *(s["text"] for s in data["steps"])):
            assert sentence in page
        assert (data["kind"], data["state"], data["expected_at"]) == ("claim", "paused", None)
        assert len(data["steps"]) == 2
    await intake.move(view["reference"], "stage", stage="assessment")
    await intake.move(view["reference"], "close", outcome="paid")
    assert (await _data(intake, view)).json()["state"] == "closed"


async def test_nothing_personal_is_in_the_data_and_they_are_told_to_nobody_else(intake: Intake) -> None:
    view = await intake.submit(external_id="OWN-1")
    await intake.move(view["reference"], "stage", stage="assessment", handler="s-104")
    answer = await _data(intake, view)
    for secret in ("陳美玲", "meiling", "2345", "C-1", "後保險桿", "12800", "OWN-1", "s-104", view["id"]):
        assert secret not in answer.text
    for name, value in {"referrer-policy": "no-referrer", "cache-control": "no-store"}.items():
        assert answer.headers[name] == value
    unknown = await intake.nobody.get(f"/t/{new_token()}.json")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:punctual:problem:link_unknown")
