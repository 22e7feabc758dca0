"""Reads ``like`` of a condition: a regular expression that answers quickly whatever it is asked about.

The engine of `re` tries alternatives one after the other, so a short pattern can keep it busy for years. The *ways* of
a pattern bound how many it can try on one text; patterns with too many are refused.
"""

from __future__ import annotations

import re

from shared.rules.conditions import LONGEST_TEXT

LONGEST_PATTERN = 200

MOST_WAYS = 300_000
"""Three times ``.*``. Measured on 64 characters: that takes 0.3 ms, the worst nest of groups that passes 0.1 s."""

_IGNORE_CASE = "(?i)"
_COUNT = re.compile(r"\{(?P<least>\d+)?(?P<comma>,)?(?P<most>\d+)?\}")
_SETS_TO_COME = ("[", "--", "&&", "||", "~~")  # inside a class; `re` warns that their meaning will change


def read_pattern(text: str) -> re.Pattern[str]:
    """A pattern without backreferences, looks around and named groups.

    Raises:
        ValueError: it is too long, too slow, or none.
    """
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {LONGEST_PATTERN} characters")
    ways = _Ways(text.removeprefix(_IGNORE_CASE)).count()
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError) as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    if ways > MOST_WAYS:
        raise ValueError("can be tried in too many ways; repeat less, above all what is repeated already")
    return pattern


class _Ways:
    """Walks over a pattern once. What is malformed is left to ``re`` to name."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def count(self) -> int:
        total = self._alternatives()
        while self._at < len(self._text):  # a stray bracket
            self._at += 1
            total = max(total, self._alternatives())
        return total

    def _alternatives(self) -> int:
        total = self._sequence()
        while self._next() == "|":
            self._at += 1
            total += self._sequence()
        return total

    def _sequence(self) -> int:
        total = 1
        while self._next() not in ("", "|", ")"):
            total = _at_most(total * self._repeated(self._atom()))
        return total

    def _atom(self) -> int:
        first = self._next()
        self._at += 1
        if first == "(":
            return self._group()
        if first == "[":
            self._class()
        elif first == "\\":
            if self._next().isdigit():
                raise ValueError("a pattern refers to no group")
            self._at += 1
        return 1

    def _group(self) -> int:
        if self._next() == "?":
            if not self._text.startswith("?:", self._at):
                raise ValueError("a pattern has only the groups `(...)` and `(?:...)`, and `(?i)` at its beginning")
            self._at += 2
        ways = self._alternatives()
        self._at += 1
        return ways

    def _class(self) -> None:
        if self._next() == "^":
            self._at += 1
        start = self._at
        while self._next() and (self._next() != "]" or self._at == start):
            if self._text.startswith(_SETS_TO_COME, self._at):
                raise ValueError(f"inside [...] write a backslash before {self._next()}")
            self._at += 2 if self._next() == "\\" else 1
        self._at += 1

    def _repeated(self, ways: int) -> int:
        bounds = self._bounds()
        if bounds is None:
            return ways
        if self._next() in ("?", "+"):  # lazy or possessive: tries no more
            self._at += 1
        least, most = (min(bound, LONGEST_TEXT) for bound in bounds)
        return _at_most(sum(ways**times for times in range(least, most + 1)))

    def _bounds(self) -> tuple[int, int] | None:
        match self._next():
            case "*":
                found = 0, LONGEST_TEXT
            case "+":
                found = 1, LONGEST_TEXT
            case "?":
                found = 0, 1
            case "{":
                counts = _COUNT.match(self._text, self._at)
                if counts is None or counts[0] in ("{}", "{,}"):
                    return None
                self._at = counts.end()
                least = int(counts["least"] or 0)
                if counts["comma"] is None:
                    return least, least
                return least, LONGEST_TEXT if counts["most"] is None else int(counts["most"])
            case _:
                return None
        self._at += 1
        return found

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]


def _at_most(ways: int) -> int:
    return min(ways, MOST_WAYS + 1)
