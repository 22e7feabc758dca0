"""The process definitions and words that ship, read once for the tests."""

from __future__ import annotations

from pathlib import Path

import services.intake
from services.intake.api.page import StatusPage
from services.intake.api.words import worded
from services.intake.app import load_status_page
from services.intake.domain.process import Process
from services.intake.domain.process_book import ProcessBook
from services.intake.domain.process_files import read_process
from shared.contracts.payload import RequestKind

DATA = Path(services.intake.__file__).parent / "data"
STATUS_PAGE: StatusPage = load_status_page(DATA / "status_page")
WORDED = worded(STATUS_PAGE.words)
FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted((DATA / "processes").glob("*.yml"))}
AUTOMATION = (DATA / "automation.yml").read_text(encoding="utf-8")
PROCESSES = {name: read_process(text, name, 1, worded=WORDED) for name, text in FILES.items()}
BOOK = ProcessBook(PROCESSES.values())


def process_of(kind: RequestKind | str, product_line: str | None = None) -> Process:
    return BOOK.choose(RequestKind(kind), product_line)
