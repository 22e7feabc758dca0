"""A frame of the status page that cannot be filled stops the start."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.api.frame import read_frame
from services.intake.api.page import StatusPage
from services.intake.app import load_status_page
from shared.contracts.payload import Language
from shared.errors import ConfigurationError
from tests.unit.intake.shipped import DATA, STATUS_PAGE

SHIPPED = (DATA / "status_page/page.html").read_text(encoding="utf-8")
EVERY_PLACE = {name: name for name in ("language", "title", "languages", "language_links", "content")}


def wrong(written: str) -> str:
    return SHIPPED.replace("<main>", f"<main>\n{written}")


MAIN = SHIPPED.partition("<main>")[0].count("\n") + 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (wrong("$"), f"line {MAIN}: no name of a place follows the $; write $$ for a dollar sign"),
        (wrong("only $5"), f"line {MAIN}: no name of a place follows the $; write $$ for a dollar sign"),
        (wrong("${title"), f"line {MAIN}: no name of a place follows the $; write $$ for a dollar sign"),
        (wrong("$logo"), f"line {MAIN}: there is no place $logo; write $$ for a dollar sign"),
        (wrong("${Title}"), f"line {MAIN}: there is no place $Title; write $$ for a dollar sign"),
        ("", ": the page lacks $language, $title, $languages, $language_links, $content"),
        (SHIPPED.replace("$content", "$$content"), ": the page lacks $content"),
    ],
)
def test_a_frame_that_cannot_be_filled_stops_the_start_with_the_name_of_the_file(
    tmp_path: Path, text: str, message: str
) -> None:
    shutil.copytree(DATA / "status_page", tmp_path, dirs_exist_ok=True)
    page = tmp_path / "page.html"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"^{re.escape(str(page))}(, )?{re.escape(message)}$"):
        load_status_page(tmp_path)


@given(st.lists(st.sampled_from(["$", "$$", "5", "logo", "{", "}", "title", "\n", "<p>"]), max_size=6).map("".join))
def test_what_is_taken_can_be_filled(written: str) -> None:
    try:
        frame = read_frame(wrong(written), "page.html")
    except ConfigurationError:
        return
    assert frame.substitute(EVERY_PLACE)


def test_a_style_with_a_dollar_sign_is_allowed_as_it_is_drawn() -> None:
    frame = read_frame(SHIPPED.replace("<style>", '<style>\nh1::before{content:"$$"}'), "page.html")
    page = StatusPage(frame, STATUS_PAGE.words)
    style = page.draw_unknown(Language.ENGLISH).partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert 'content:"$"' in style
    assert f"'sha256-{digest}'" in page.content_policy
