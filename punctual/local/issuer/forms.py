"""Reads forms and queries: each name at most once, as OAuth wants it."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

_MOST_FIELDS = 20


class BrokenForm(ValueError):
    """Not a form, or a name comes twice."""


async def read_form(request: Request) -> dict[str, str]:
    """Raises BrokenForm: the body is not ``application/x-www-form-urlencoded``."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise BrokenForm("the body must be application/x-www-form-urlencoded")
    return read_pairs((await request.body()).decode("latin-1"))


def read_pairs(text: str) -> dict[str, str]:
    """Raises BrokenForm."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise BrokenForm("the parameters cannot be read") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BrokenForm("a parameter is given twice")
    return found
