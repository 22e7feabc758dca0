"""The reference in a path, as people type it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from services.intake.api.problems import mistyped
from shared.ids import parse_reference


def read_reference(typed: str) -> str:
    """The canonical form.

    Raises:
        Problem: 404, mistyped.
    """
    canonical = parse_reference(typed)
    if canonical is None:
        raise mistyped()
    return canonical


async def _reference(reference: str) -> str:
    return read_reference(reference)


ReferenceOf = Annotated[str, Depends(_reference)]
