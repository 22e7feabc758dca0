"""Identifiers: UUIDv7 for machines, a short reference with a check character for people."""

from __future__ import annotations

import os
import secrets
import struct
import time
import unicodedata
from uuid import UUID

REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 characters, a prime number; 0, 1, I, L and O are left out because they are mistaken for each other."""

_BASE = len(REFERENCE_ALPHABET)
_PLACES = {character: place for place, character in enumerate(REFERENCE_ALPHABET)}
_DATA_LENGTH = 9  # 31**9 = 2.6e13 references: a clash is rare at 1e8 requests and caught by a constraint
_GROUP = 5
_GAPS = frozenset({"Pd", "Zs"})  # the categories of dashes and spaces
_MINUS = "\u2212"  # is no dash to Unicode, and one to whoever reads it
_REFERENCES = _BASE**_DATA_LENGTH
_PAIRS_OF_CHARACTERS = [one + other for one in REFERENCE_ALPHABET for other in REFERENCE_ALPHABET]

_DRAWN = 256  # one call to the system for so many ids costs hardly more than one call for one
_PAIRS = struct.Struct(f">{2 * _DRAWN}Q")
_random_bits: list[int] = []
_digits: list[str] = []


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, 74 random bits."""
    try:
        bits = _random_bits.pop()
    except IndexError:  # asked for in advance, another thread might take the last one in between
        _draw()
        return new_id()
    return UUID(int=(time.time_ns() // 1_000_000) << 80 | bits)


def new_span_id() -> str:
    """The id of a span of W3C trace context: 16 hexadecimal digits."""
    return _sixteen_digits()


def _sixteen_digits() -> str:
    """64 random bits, hexadecimal."""
    try:
        return _digits.pop()
    except IndexError:
        drawn = os.urandom(8 * _DRAWN).hex()
        _digits.extend([drawn[start : start + 16] for start in range(0, 16 * _DRAWN, 16)])
        return _sixteen_digits()


def _draw() -> None:
    """Random bits with the version and the variant of a UUIDv7 among them."""
    numbers = iter(_PAIRS.unpack(os.urandom(_PAIRS.size)))
    _random_bits.extend(
        [
            (0x7 << 76) | (high & 0xFFF) << 64 | (0x2 << 62) | (low & ~(0x3 << 62))
            for high, low in zip(numbers, numbers, strict=True)
        ]
    )


if hasattr(os, "register_at_fork"):  # a child that went on with its parent's numbers would make the same ids
    os.register_at_fork(after_in_child=_random_bits.clear)
    os.register_at_fork(after_in_child=_digits.clear)


def new_secret() -> str:
    """256 unguessable bits, URL-safe."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """128 unguessable bits, URL-safe; for links that are their own permission."""
    return secrets.token_urlsafe(16)


def new_salt() -> bytes:
    """128 random bits: what is hashed with them cannot be found by trying."""
    return os.urandom(16)


def new_key_prefix() -> str:
    """What people know an API key by, such as ``K7M4Q2XD``; 8.5e11 of them, a clash is caught by a constraint."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(8))


def new_reference() -> str:
    """A reference such as ``K7M4Q-2XD9C``."""
    number = int(_sixteen_digits(), 16) % _REFERENCES  # of 64 random bits: favours none by more than a millionth
    data = ""
    for _ in range(_DATA_LENGTH // 2):
        number, pair = divmod(number, _BASE * _BASE)
        data += _PAIRS_OF_CHARACTERS[pair]
    data += REFERENCE_ALPHABET[number]
    return format_reference(data + check_character(data))


def check_character(data: str) -> str:
    """The character that makes the weighted sum of ``data`` divisible by 31.

    Distinct weights modulo a prime detect every single wrong character and every swap of two.
    """
    total = sum([weight * _PLACES[character] for weight, character in enumerate(data, start=2)])
    return REFERENCE_ALPHABET[-total % _BASE]


def format_reference(characters: str) -> str:
    return f"{characters[:_GROUP]}-{characters[_GROUP:]}"


def parse_reference(text: str) -> str | None:
    """The canonical form of a typed reference; None if mistyped. Case, spaces, dashes and full width do not matter."""
    characters = "".join(_groups(text))
    if len(characters) != _DATA_LENGTH + 1 or any(c not in REFERENCE_ALPHABET for c in characters):
        return None
    if check_character(characters[:-1]) != characters[-1]:
        return None
    return format_reference(characters)


def resembles_reference(text: str) -> bool:
    """Whether it looks like a reference, right or mistyped: ten of its characters, or two fives of any."""
    groups = _groups(text)
    characters = "".join(groups)
    if len(characters) != _DATA_LENGTH + 1 or not (characters.isascii() and characters.isalnum()):
        return False
    return (len(groups) > 1 and len(groups[0]) == _GROUP) or all(c in REFERENCE_ALPHABET for c in characters)


def _groups(text: str) -> list[str]:
    """What stands between spaces and dashes, of which phones and office programs write more than one sort."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(" " if c == _MINUS or unicodedata.category(c) in _GAPS else c for c in plain).split()
