"""Which addresses are sent to, and that intake takes in no others."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.intake.api.bodies import Email
from services.notifier.domain.addresses import is_deliverable

INTAKE: TypeAdapter[str] = TypeAdapter(Email)

# Pieces whose every joint is a case: dots and hyphens at an edge, lengths about each limit.
PIECES = st.sampled_from(["a", "B", "7", ".", "-", "+", "_", "@", " ", "\n", "é", "'", "x" * 31, "x" * 32, "x" * 63])
ADDRESSES = st.builds(
    "{}@{}".format, st.lists(PIECES, max_size=6).map("".join), st.lists(PIECES, max_size=9).map("".join)
)


@given(ADDRESSES | st.emails() | st.text(max_size=20))
@example("a.@b.example")
@example(".a@b.example")
@example("a@b-.example")
@example("a@-b.example")
@example(f"a@{'b' * 64}.example")
def test_what_intake_takes_in_the_notifier_sends_to(typed: str) -> None:
    try:
        taken = INTAKE.validate_python(typed)
    except ValidationError:
        assert not is_deliverable(typed)
    else:
        assert is_deliverable(taken)


@pytest.mark.parametrize(
    "address",
    [
        "meiling@example.com",
        "o'neil+claims@a-b.example",
        "a.b-.c@1.example",
        "root@localhost",
        f"{'a' * 64}@b.example",
        f"a@{'b' * 63}.example",
        f"a@{'.'.join(['b' * 63] * 3)}.{'c' * 60}",
    ],
)
def test_a_plain_mailbox_is_sent_to(address: str) -> None:
    assert is_deliverable(address)
    assert INTAKE.validate_python(address) == address


def test_spaces_around_a_mailbox_are_taken_off() -> None:
    assert INTAKE.validate_python(" meiling@example.com\n") == "meiling@example.com"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@",
        "@b.example",
        "a@b@c.example",
        "a b@c.example",
        "a..b@c.example",
        "a@b..example",
        "a@b.example.",
        "a@b.example\n",
        '"a"@b.example',
        "a@[127.0.0.1]",
        "é@b.example",
        f"{'a' * 65}@b.example",
        f"a@{'b' * 64}.example",
        f"a@{'.'.join(['b' * 63] * 3)}.{'c' * 62}",
    ],
)
def test_anything_else_is_not(address: str) -> None:
    assert not is_deliverable(address)
