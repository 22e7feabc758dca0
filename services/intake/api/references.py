"""The reference in a path, as people type it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from services.intake.api.problems import mistyped, wrong_field
from shared.ids import parse_reference, resembles_reference


def read_reference(typed: str, field: str | None = None) -> str:
    """The canonical form.

    Args:
        field: of the body, when it did not stand in the path.

    Raises:
        Problem: 404, mistyped.
    """
    canonical = parse_reference(typed)
    if canonical is None:
        raise mistyped(field)
    return canonical


def read_filter(typed: str) -> str:
    """The canonical form of what a list is asked for.

    Raises:
        Problem: 422, mistyped.
    """
    canonical = parse_reference(typed)
    if canonical is None:
        raise wrong_field("query:reference", "its check character does not fit; compare it, such as K7M4Q-2XD9C")
    return canonical


def check_found_nothing(text: str) -> None:
    """Call it when nothing is found by a text that may mean many things: an empty list would hide a slip.

    Raises:
        Problem: 422, it looks like a reference, and as one it is mistyped.
    """
    if resembles_reference(text) and parse_reference(text) is None:
        raise wrong_field(
            "query:q", "finds nothing, and as a reference it is mistyped: compare it with one such as K7M4Q-2XD9C"
        )


async def _reference(reference: str) -> str:
    return read_reference(reference)


ReferenceOf = Annotated[str, Depends(_reference)]
