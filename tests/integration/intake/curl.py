"""Reads the curl examples of a page as calls."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

_EXAMPLE = re.compile(r"```sh\n# (\d{3})\n(curl .*?)```", re.DOTALL)


def examples_of(page: str) -> list[tuple[int, str]]:
    """Each with the status it promises; a page has no other curl commands."""
    examples = _EXAMPLE.findall(page)
    assert len(examples) == page.count("\ncurl ")
    return [(int(status), command) for status, command in examples]


def read_curl(command: str, values: Mapping[str, str]) -> tuple[str, str, dict[str, str], bytes | None]:
    """Method, URL, headers and body, with the variables filled in."""
    command = command.replace("\\\n", " ")
    for name, value in values.items():
        command = re.sub(rf"\${name}\b", value, command)
    words = iter(shlex.split(command)[1:])
    method, url, headers, content = "", "", {}, None
    for word in words:
        match word:
            case "-s":
                continue  # no progress on the terminal; says nothing about the call
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d" | "--data-binary":
                content = next(words).encode()
            case _:
                url = word
    return method or ("GET" if content is None else "POST"), url, headers, content
