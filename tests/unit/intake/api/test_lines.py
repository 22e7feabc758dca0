"""Whatever the borders between the pieces, the lines are the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.api.lines import Line, LineSplitter

LIMIT = 8

_CONTENTS = st.binary(max_size=LIMIT + 4).map(lambda text: text.replace(b"\n", b"x").replace(b"\r", b"y"))
_ENDS = st.sampled_from([b"\n", b"\r\n"])


def cut(pieces: list[bytes], limit: int = LIMIT) -> list[Line]:
    splitter = LineSplitter(limit)
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return lines + list(splitter.close())


@given(st.lists(st.tuples(_CONTENTS, _ENDS)), st.booleans(), st.lists(st.integers(min_value=0, max_value=400)))
def test_lines_do_not_depend_on_the_pieces_they_come_in(
    lines: list[tuple[bytes, bytes]], is_last_end_missing: bool, cuts: list[int]
) -> None:
    stream = b"".join(content + end for content, end in lines)
    if lines and is_last_end_missing:
        stream = stream.removesuffix(lines[-1][1])
    borders = sorted({0, len(stream), *(at for at in cuts if at < len(stream))})
    pieces = [stream[start:end] for start, end in pairwise(borders)]

    expected = [
        Line(number, content if len(content) <= LIMIT else None)
        for number, (content, _) in enumerate(lines, start=1)
        if content.strip() or len(content) > LIMIT
    ]
    assert cut(pieces) == expected


@pytest.mark.parametrize("size", range(1, 6))
def test_a_border_inside_the_end_of_a_line_makes_no_other_line(size: int) -> None:
    stream = b"one\r\n\r\ntwo\n  \nthree"
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert cut(pieces) == [Line(1, b"one"), Line(3, b"two"), Line(5, b"three")]


def test_a_line_of_the_limit_is_taken_with_either_end_and_a_longer_one_is_not() -> None:
    full = b"x" * LIMIT
    assert cut([full + b"\n" + full + b"\r\n" + full]) == [Line(number, full) for number in (1, 2, 3)]
    assert cut([full + b"y\n" + full + b"y\r\n" + full + b"y"]) == [Line(number, None) for number in (1, 2, 3)]


def test_what_is_not_utf_8_is_a_line_like_another() -> None:
    assert cut([b"\xff\xfe\n\xe9\x99\n"]) == [Line(1, b"\xff\xfe"), Line(2, b"\xe9\x99")]


def test_an_endless_line_is_not_kept() -> None:
    splitter = LineSplitter(LIMIT)
    for _ in range(1_000):
        assert list(splitter.feed(b"x" * 1_000)) == []
        assert len(splitter._begun) <= LIMIT + 1
    assert list(splitter.feed(b"\nshort\n")) == [Line(1, None), Line(2, b"short")]


def test_nothing_has_no_lines() -> None:
    assert cut([]) == cut([b""]) == cut([b"\n\r\n"]) == []
