"""What may come instead of what was expected: anything, or something good with damage."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

_WORD = re.compile(r"[^\s:,\[\]{}#\"']+")

ODD = (
    *(
        "",
        " ",
        "~",
        "-1",
        "0x",
        "1e400",
        ".nan",
        "1_0",
        "٣",
        "²",
        "9" * 5000,
        "\ufeff",
        "\u2028",
        "\x00",
        "'",
        '"',
        "\\",
    ),
    *("2001-99-99", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "2026-02-30", "24:00:01", "99999999d"),
    *("&a [*a]", "*b", "<<", "=", "!", "!!int x", "!!int ''", "!!float ''", "!!bool x", "!!timestamp x", "!!binary é"),
    *("!!python/object:os.system x", "? [a]", "[]", "{}", "[[]]", "{a: {}}", "[", "{", "- ", "%", "@", "`", "|", ">"),
    *('"\\ud800"', '"\\0"', "%s%n", "../../etc/passwd", "${x}", "pk_", "Bearer ", 'W/"', '"1"', "zh-Hant;q=nan"),
)
"""Words that mean something to one parser or another, or once broke one."""

HARD = (
    *(opening * 1_500 for opening in ("[", "{", "{a: ", "- ", "(", '"', "'", "<a>", "!", "&a ", "? ", "%", "-", "1d")),
    *("[" * 1_500 + "]" * 1_500, '{"a":' * 1_500 + "1" + "}" * 1_500),
    "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)),
    "a: &a {b: *a}",
    "x" * 100_000,
    "9" * 100_000,
    "a,b;" * 25_000,
    "x: y\n" * 2_000,
)
"""Short texts that stand for much, and long ones."""


def texts(good: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.one_of(st.text(max_size=60), st.sampled_from(ODD), *(_damaged(text) for text in good))


@st.composite
def _damaged(draw: st.DrawFn, text: str) -> str:
    """One or two of: other characters in a place, another word, a line twice, gone or moved to the right."""
    for _ in range(draw(st.integers(1, 2))):
        match draw(st.sampled_from(["characters", "word", "word", "line"])):
            case "characters":
                start = draw(st.integers(0, len(text)))
                end = draw(st.integers(start, min(len(text), start + 20)))
                text = text[:start] + draw(st.text(max_size=10)) + text[end:]
            case "word":
                words = list(_WORD.finditer(text))
                if words:
                    word = words[draw(st.integers(0, len(words) - 1))]
                    text = text[: word.start()] + draw(st.sampled_from(ODD)) + text[word.end() :]
            case _:
                lines = text.splitlines(keepends=True) or [""]
                at = draw(st.integers(0, len(lines) - 1))
                line = lines[at]
                lines[at] = draw(st.sampled_from(["", line + line, "  " + line, line.lstrip()]))
                text = "".join(lines)
    return text


def octets(good: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    decoded = tuple(sample.decode("latin-1") for sample in good)
    damaged = texts(decoded).map(lambda text: text.encode("latin-1", "ignore"))
    return st.one_of(st.binary(max_size=80), damaged)


_CHARACTERS = st.characters()  # halves of characters among them: JSON can spell them
_LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, -(2**63) - 1, 10**400, -0.0, 1e308]),
    st.floats(),
    st.text(_CHARACTERS, max_size=12),
    st.sampled_from(ODD),
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(_CHARACTERS, max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def _changed(draw: st.DrawFn, good: Any) -> Any:
    """One value of a document replaced, taken out or added."""
    if isinstance(good, dict) and good and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(good)))
        return {**good, name: draw(_changed(good[name]))}
    if isinstance(good, list) and good and draw(st.booleans()):
        at = draw(st.integers(0, len(good) - 1))
        return [*good[:at], draw(_changed(good[at])), *good[at + 1 :]]
    if isinstance(good, dict):
        without = {name: value for name, value in good.items() if draw(st.integers(0, 3))}
        return {**without, **draw(st.dictionaries(st.text(_CHARACTERS, max_size=8), _VALUES, max_size=1))}
    return draw(_VALUES)


def objects(good: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """What a reader of JSON gives."""
    return st.one_of(_VALUES, *(_changed(sample) for sample in good))
