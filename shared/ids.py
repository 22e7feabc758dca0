"""Identifiers: UUIDv7 for machines, a short reference with a check character for people."""

from __future__ import annotations

import os
import secrets
import time
from uuid import UUID

REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 characters, a prime number; 0, 1, I, L and O are left out because they are mistaken for each other."""

_DATA_LENGTH = 9  # 31**9 = 2.6e13 references: a clash is rare at 1e8 requests and caught by a constraint


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, 74 random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def new_secret() -> str:
    """256 unguessable bits, URL-safe."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """128 unguessable bits, URL-safe; for links that are their own permission."""
    return secrets.token_urlsafe(16)


def new_reference() -> str:
    """A reference such as ``K7M4Q-2XD9C``."""
    data = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(_DATA_LENGTH))
    return format_reference(data + check_character(data))


def check_character(data: str) -> str:
    """The character that makes the weighted sum of ``data`` divisible by 31.

    Distinct weights modulo a prime detect every single wrong character and every swap of two.
    """
    total = sum(weight * REFERENCE_ALPHABET.index(character) for weight, character in enumerate(data, start=2))
    return REFERENCE_ALPHABET[-total % len(REFERENCE_ALPHABET)]


def format_reference(characters: str) -> str:
    return f"{characters[:5]}-{characters[5:]}"


def parse_reference(text: str) -> str | None:
    """The canonical form of a typed reference (case, spaces and dashes do not matter); None if mistyped."""
    characters = "".join(c for c in text.upper() if c not in " -")
    if len(characters) != _DATA_LENGTH + 1 or any(c not in REFERENCE_ALPHABET for c in characters):
        return None
    if check_character(characters[:-1]) != characters[-1]:
        return None
    return format_reference(characters)
