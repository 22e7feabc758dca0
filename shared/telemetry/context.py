"""The correlation id and W3C trace context that run from an HTTP request to its last consequence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from shared.ids import new_span_id

_TRACEPARENT = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
_LENGTH = 55
_SPAN = slice(36, 52)
_CORRELATION_ID = re.compile(r"^[A-Za-z0-9_.:-]{1,64}$")


@dataclass(frozen=True, slots=True)
class Trace:
    """Attributes:
    correlation_id: given by the caller or the trace id.
    traceparent: ``00-<trace id>-<span id>-<flags>``.
    """

    correlation_id: str
    traceparent: str


def new_trace(correlation_id: str | None = None, traceparent: str | None = None) -> Trace:
    """Continue what the caller sent where it is well-formed; start afresh where it is not."""
    if traceparent is None or not _TRACEPARENT.match(traceparent):
        traceparent = f"00-{new_span_id()}{new_span_id()}-{new_span_id()}-01"
    if correlation_id is None or not _CORRELATION_ID.match(correlation_id):
        correlation_id = traceparent.split("-")[1]
    return Trace(correlation_id, traceparent)


def child(trace: Trace) -> Trace:
    """The same trace, a new span. A trace that came malformed over Kafka is not continued."""
    parent = trace.traceparent
    if len(parent) != _LENGTH:
        return new_trace(trace.correlation_id)
    return Trace(trace.correlation_id, f"{parent[: _SPAN.start]}{new_span_id()}{parent[_SPAN.stop :]}")


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace:
    """The trace bound to this task; a new one where none is bound."""
    return _current.get() or new_trace()


def bound_trace() -> Trace | None:
    return _current.get()


@contextmanager
def bind_trace(trace: Trace) -> Iterator[Trace]:
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)
