"""The pages keep their word: links and paths lead somewhere, commands and targets exist, records name their checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from punctual.cli import COMMANDS

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")])
RECORDS = sorted((ROOT / "docs/adr").glob("0*.md"))

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_PATH = re.compile(
    r"`((?:tests|shared|services|punctual|deploy|docs|bench)/[\w./*-]+|docker-compose\.yml|\.importlinter)`"
)
_TARGET = re.compile(r"\bmake ([a-z]+(?:-[a-z]+)*)\b")
_COMMAND = re.compile(r"(?:`|^|&& )punctual ([a-z]+)", re.MULTILINE)


def names(pages: list[Path]) -> list[str]:
    return [page.relative_to(ROOT).as_posix() for page in pages]


def code_of(page: Path) -> Iterator[str]:
    """What stands in code blocks and in backticks."""
    text = page.read_text(encoding="utf-8")
    yield from re.findall(r"```(?:sh|)\n(.*?)```", text, re.DOTALL)
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    dead = []
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(link)

    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_path_a_page_names_exists(page: Path) -> None:
    gone = [path for path in _PATH.findall(page.read_text(encoding="utf-8")) if not list(ROOT.glob(path.rstrip("/")))]

    assert gone == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_command_and_target_a_page_shows_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = list(code_of(page))

    assert {target for text in shown for target in _TARGET.findall(text)} - targets == set()
    assert {command for text in shown for command in _COMMAND.findall(f"`{text}")} - set(COMMANDS) == set()


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_a_page_has_one_title_and_starts_with_it(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert text.startswith("# ")
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1


@pytest.mark.parametrize("record", RECORDS, ids=names(RECORDS))
def test_a_decision_record_is_one_page_and_names_the_check_that_enforces_it(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    _, _, enforced = text.partition("## Enforced by")

    assert len(text.splitlines()) <= 60
    assert text.startswith(f"# {record.name[:4]} ")
    for heading in ("## Question", "## Decision", "## What follows"):
        assert heading in text
    assert re.search(r"`(tests/[\w./]+\.py|\.importlinter|punctual/[\w./]+\.py)`|`pyproject\.toml`", enforced)


def test_the_records_are_numbered_without_holes_and_all_listed() -> None:
    overview = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")

    assert [record.name[:4] for record in RECORDS] == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]
    assert [record.name for record in RECORDS if f"({record.name})" not in overview] == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_no_page_has_the_data_backed_up_by_a_dump(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    commands = re.findall(r"^```.*?^```", text, re.DOTALL | re.MULTILINE)

    assert [command for command in commands if "pg_dump" in command] == []
    assert "pg_dump" not in text or "**A dump is no backup.**" in text


def test_every_service_has_its_page() -> None:
    services = {path.parent.name for path in ROOT.glob("services/*/__init__.py")}

    assert {name for name in services if not (ROOT / f"docs/architecture/{name}.md").is_file()} == set()


def test_the_glossary_gives_each_word_once_and_rejects_none_it_uses() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$", _glossary(), re.MULTILINE)
    rows = [row for row in rows if row != ("word", "not")]
    words = [word.strip() for given, _ in rows for word in given.split(",")]

    assert len(words) == len(set(words))
    for word, rejected in rows:
        assert word not in [synonym.strip() for synonym in rejected.split(",")]


@pytest.mark.parametrize(
    "word",
    [
        *("request", "stage", "clock", "budget", "deadline", "warning", "breach", "escalation", "pause", "notice"),
        "expected time",
    ],
)
def test_the_glossary_has_the_words_the_house_fixes(word: str) -> None:
    assert f"| {word} |" in _glossary()


def _glossary() -> str:
    return (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
