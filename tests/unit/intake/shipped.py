"""The process definitions and words that ship, read once for the tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import services.intake
from services.intake.api.page import StatusPage
from services.intake.api.words import worded
from services.intake.app import load_status_page
from services.intake.domain.process import Process
from services.intake.domain.process_book import ProcessBook
from services.intake.domain.process_files import read_process
from services.intake.domain.validation.reading import read_validation
from services.intake.handlers.customer_keys import CustomerKeys
from services.intake.handlers.validation import Validation
from services.intake.handlers.validation_file import load_validation
from shared.contracts.payload import RequestKind
from shared.encryption import MasterKeys

DATA = Path(services.intake.__file__).parent / "data"
STATUS_PAGE: StatusPage = load_status_page(DATA / "status_page")
WORDED = worded(STATUS_PAGE.words)
FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted((DATA / "processes").glob("*.yml"))}
AUTOMATION = (DATA / "automation.yml").read_text(encoding="utf-8")
MASTER_KEYS = MasterKeys("tests", {"tests": bytes(range(32))})
CUSTOMER_KEYS = CustomerKeys(MASTER_KEYS)
PERSONAL = read_validation((DATA / "validation.yml").read_text(encoding="utf-8"), "validation.yml").personal
SECRET = "a secret of the tests, as long as needed"
PROCESSES = {name: read_process(text, name, 1, worded=WORDED, personal=PERSONAL) for name, text in FILES.items()}
BOOK = ProcessBook(PROCESSES.values())


def process_of(kind: RequestKind | str, product_line: str | None = None) -> Process:
    return BOOK.choose(RequestKind(kind), product_line)


def new_validation(*, finds_duplicates: bool = False) -> Validation:
    """With the rules that ship, and no past. Most tests submit the same request over and over and mean no harm."""
    shipped = load_validation(DATA / "validation.yml", SECRET, datetime(2026, 11, 24, tzinfo=UTC))
    if finds_duplicates:
        return shipped
    book = replace(shipped.book, duplicates=replace(shipped.book.duplicates, least_evidence=1_000))
    return Validation(book, SECRET.encode(), sha256=shipped.sha256, loaded_at=shipped.loaded_at)
