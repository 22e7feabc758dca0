"""Every refusal that a test meets is one that the OpenAPI document declares."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import httpx

from services.intake.api.application import describe_api
from shared.http import KeyRing
from shared.http.problems import MEDIA_TYPE
from tests.access.opening import access_by_keys
from tests.unit.intake.shipped import STATUS_PAGE


@cache
def _operations() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    """Method, pattern of the path, operation; those whose paths have fewer parameters first."""
    document = describe_api(access_by_keys(KeyRing([]), "intake"), STATUS_PAGE)
    paths = sorted(document["paths"].items(), key=lambda item: item[0].count("{"))
    return [
        (method.upper(), re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), operation)
        for path, item in paths
        for method, operation in item.items()
    ]


async def check_declared(answer: httpx.Response) -> None:
    """Hook of a client. What no operation is asked for is left alone: a path or a method that is not there."""
    if answer.headers.get("content-type") != MEDIA_TYPE:
        return
    await answer.aread()
    method, path = answer.request.method, answer.request.url.path
    for its_method, pattern, operation in _operations():
        if its_method == method and pattern.fullmatch(path):
            declared = operation["responses"].get(str(answer.status_code), {}).get("content", {}).get(MEDIA_TYPE)
            types = declared["schema"]["properties"]["type"]["enum"] if declared else []
            assert answer.json()["type"] in types, f"{method} {path}: {answer.status_code} {answer.text}"
            return
