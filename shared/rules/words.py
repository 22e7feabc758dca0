"""The words of rules: names, values and truth."""

from __future__ import annotations

import re

from shared.rules.document import Field

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")


def read_code(text: str) -> str:
    """Raises:
    ValueError: not a name.
    """
    if not _CODE.fullmatch(text):
        raise ValueError(f"{text!r} is not a word of lower-case letters, digits and _")
    return text


def read_word(text: str) -> str:
    """Raises:
    ValueError: not a single word.
    """
    if not _WORD.fullmatch(text):
        raise ValueError(f"{text!r} is not a single word")
    return text


def read_truth(text: str) -> bool:
    """Raises:
    ValueError: neither true nor false.
    """
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def words_of(field: Field) -> frozenset[str]:
    """A word, or a list of them."""
    return frozenset(entry.parse(read_word) for entry in field.items_or_self())


def roles_of(field: Field) -> tuple[str, ...]:
    """A role, or a list of at least one."""
    roles = tuple(entry.parse(read_code) for entry in field.items_or_self())
    if not roles:
        raise field.fail("needs at least one role")
    return roles
