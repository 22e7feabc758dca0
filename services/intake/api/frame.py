"""The frame of the status page, an HTML file with places. One that cannot be filled stops the start, not a customer."""

from __future__ import annotations

from string import Template

from shared.errors import ConfigurationError

_PLACES = ("language", "title", "languages", "language_links", "content")
_DOLLAR = "write $$ for a dollar sign"


def read_frame(text: str, origin: str) -> Template:
    """A text that has each place at least once, such as ``$title``, and no others.

    Args:
        origin: the name to complain under.

    Raises:
        ConfigurationError: the message names the file and the line or the places that are missing.
    """
    seen: set[str] = set()
    for found in Template.pattern.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        where = f"{origin}, line {line}"
        if found["invalid"] is not None:
            raise ConfigurationError(f"{where}: no name of a place follows the $; {_DOLLAR}")
        name = found["named"] or found["braced"]
        if name is None:
            continue
        if name not in _PLACES:
            raise ConfigurationError(f"{where}: there is no place ${name}; {_DOLLAR}")
        seen.add(name)
    missing = [f"${name}" for name in _PLACES if name not in seen]
    if missing:
        raise ConfigurationError(f"{origin}: the page lacks {', '.join(missing)}")
    return Template(text)
