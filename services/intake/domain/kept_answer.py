"""An answer that shows a request, as it is kept for a repeat: without the channel's own id of the request, and with
moves without the history.

That id may say who the customer is, and an erasure takes it out of the request's row. A repeat gets it from there, so
what was erased there is in no kept answer either. A history is not kept once more with every move: no entry of it ever
changes, so a repeat gets those that the answer showed. Only entries that say something of other requests are kept, as
they were shown: who may be told of these can change.
"""

from __future__ import annotations

from pydantic_core import to_json

_FIELD = '"external_id":'
_NONE = f"{_FIELD}null"
"""Stands in front of every part of an answer that somebody else wrote, so the first one is the field itself."""

_HISTORY, _BEHIND = '"history":', ',"status_url":'
"""Nothing that somebody else wrote stands behind the history but the link of the customer's page."""


def without_external_id(body: str, external_id: str | None) -> str:
    """
    Args:
        body: JSON as pydantic writes it.
        external_id: that it shows.
    """
    return body if external_id is None else body.replace(_written(external_id), _NONE, 1)


def with_external_id(body: str, external_id: str | None) -> str:
    """The inverse, to the letter."""
    return body if external_id is None else body.replace(_NONE, _written(external_id), 1)


def exchange_history(body: str, history: str) -> str:
    """
    Args:
        body: JSON as pydantic writes it.
        history: a list of entries to stand there instead, JSON.
    """
    ends = body.rindex(_BEHIND)
    begins = body.find(f'{_HISTORY}[{{"sequence":')  # no other list of that name has objects
    if begins < 0:
        begins = ends - len(f"{_HISTORY}[]")
    return body[:begins] + _HISTORY + history + body[ends:]


def _written(external_id: str) -> str:
    return _FIELD + to_json(external_id).decode()
