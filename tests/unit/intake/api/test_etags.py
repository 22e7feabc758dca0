"""What a reader has seen is told by tags, as servers on the way may have changed them."""

from __future__ import annotations

import pytest

from services.intake.api.etags import is_known

TAG = '"2.c4f2f758"'


@pytest.mark.parametrize(
    ("seen", "known"),
    [
        (TAG, True),
        (f"W/{TAG}", True),
        ("*", True),
        (" * ", True),
        (f'"1.00000000", W/{TAG}', True),
        (f'"a, b",{TAG}', True),
        ('"2.c4f2f759"', False),
        ('"2"', False),
        ('W/"2"', False),
        ("2.c4f2f758", False),
        (f"*, {TAG[:-1]}", False),
        ("", False),
        (None, False),
    ],
)
def test_an_answer_is_known_by_its_tag_alone_however_strong(seen: str | None, *, known: bool) -> None:
    assert is_known(seen, TAG) is known
