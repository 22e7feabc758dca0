"""Tags of what a request looked like: ``"7.9f3c01ab"`` is version 7, and a digest of how it was shown. A definition has
its version alone.

A tag that a proxy marked as weak is taken in If-Match too, other than RFC 9110 has it: the version in it is exact, and
who is behind a proxy that compresses would else be told 412 for ever.

A move is for a version; what deadlines and the business clock change in between does not matter to it. Whoever looks
again may be told that nothing is different only if the whole answer is the same.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any

from fastapi import Depends, Header

from shared.http import FieldError, Problem

_TAG = re.compile(r'[ \t]*(?:W/)?"(?P<version>[0-9]{1,9})(?P<digest>\.[0-9a-f]{8})?"[ \t]*')
_OPAQUE_TAG = re.compile(r'(?:W/)?("[^"]*")')
_SHOWN_TAG = r'[ \t]*(W/)?"[0-9]{1,9}(\.[0-9a-f]{8})?"[ \t]*'
_SHOWN_TAGS = rf"^([ \t]*\*[ \t]*|{_SHOWN_TAG}(,{_SHOWN_TAG})*)$"


def make_etag(version: int, body: str) -> str:
    return f'"{version}.{hashlib.sha256(body.encode()).hexdigest()[:8]}"'


def version_etag(version: int) -> str:
    """Of a definition: what a version says never changes."""
    return f'"{version}"'


def shown_etag(use: str) -> dict[str, Any]:
    """The header of an answer, for the description."""
    return {"ETag": {"schema": {"type": "string"}, "description": use}}


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether the reader has seen exactly this. A proxy that compresses an answer marks its tag as weak, which does not
    matter here (RFC 9110, 13.1.2).
    """
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in _OPAQUE_TAG.findall(if_none_match)


async def _seen(
    if_match: Annotated[
        str | None,
        Header(
            description="The ETag, or the version in quotes, of what the caller saw: 412 when it has changed",
            json_schema_extra={"pattern": _SHOWN_TAGS},
            examples=['"7"'],
        ),
    ] = None,
) -> frozenset[int] | None:
    if if_match is None or if_match.strip() == "*":
        return None
    tags = [_TAG.fullmatch(tag) for tag in if_match.split(",")]
    versions = frozenset(int(tag["version"]) for tag in tags if tag is not None)
    if None in tags or not versions:
        raise Problem(
            422,
            "invalid_fields",
            "Some fields are missing or wrong",
            errors=[FieldError(field="header:If-Match", message='must be an ETag, such as "7"')],
        )
    return versions


SeenOf = Annotated[frozenset[int] | None, Depends(_seen)]
"""The versions that a move or a change of a definition is for; None for any."""
