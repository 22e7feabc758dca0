"""Which process a request follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.intake.domain.process import Process
from services.intake.domain.process_book import ProcessBook
from shared.contracts.payload import RequestKind
from shared.errors import ConfigurationError
from tests.unit.intake.shipped import BOOK, PROCESSES, process_of

ENQUIRY = process_of("enquiry")


def others(*left_out: str) -> list[Process]:
    return [process for process in PROCESSES.values() if process.code not in left_out]


def test_a_product_line_without_a_process_of_its_own_follows_the_general_one() -> None:
    assert BOOK.choose(RequestKind.CLAIM, "motor").code == "claim_motor"
    assert BOOK.choose(RequestKind.CLAIM, "marine").code == "claim"
    assert BOOK.choose(RequestKind.CLAIM, None).code == "claim"


def test_new_requests_begin_with_the_newest_version_and_old_ones_find_theirs() -> None:
    book = ProcessBook([*others("enquiry"), replace(ENQUIRY, version=2), ENQUIRY])
    assert book.choose(RequestKind.ENQUIRY, None).version == 2
    assert book.find("enquiry", 1) is ENQUIRY
    assert book.find("enquiry", 7) is None
    assert [process.version for process in book.in_force() if process.code == "enquiry"] == [2]


def test_every_kind_needs_a_process_for_the_product_lines_that_are_left() -> None:
    with pytest.raises(ConfigurationError, match="without product_lines is defined for complaint"):
        ProcessBook(others("complaint"))
    with pytest.raises(ConfigurationError, match="without product_lines is defined for claim"):
        ProcessBook(others("claim"))


@pytest.mark.parametrize(("lines", "message"), [(("motor",), "product line motor"), ((), "all other product lines")])
def test_no_product_line_can_have_two_processes(lines: tuple[str, ...], message: str) -> None:
    second = replace(process_of("claim"), code="another", product_lines=lines)
    with pytest.raises(ConfigurationError, match=message):
        ProcessBook([*PROCESSES.values(), second])
