"""JSON lines on standard output, one object per line, real time in UTC."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any, TextIO, cast

import structlog
from pydantic_core import to_json

from shared.telemetry.context import bound_trace


class _Lines:
    """Where our own records go once they are lines. The standard library's records would cost three times as much.

    Args:
        name: of the module that logs.
    """

    def __init__(self, name: str, stream: TextIO) -> None:
        self.name = name
        self._stream = stream

    def _write(self, line: str) -> None:
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError):  # broken or closed: what the line tells of goes on, as it does with the library's
            return

    debug = info = warning = error = critical = exception = _write


def _add_correlation(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    trace = bound_trace()
    if trace is not None:
        event.setdefault("correlation_id", trace.correlation_id)
    return event


def _drop_colours(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event.pop("color_message", None)  # uvicorn's second copy of its message, for terminals
    return event


def _render(_: Any, __: str, event: structlog.typing.EventDict) -> str:
    try:
        return to_json(event, fallback=repr).decode() + "\n"
    except ValueError:  # half of a surrogate pair, which UTF-8 cannot write
        return json.dumps(event, default=repr) + "\n"


def configure_logging(service: str, level: str) -> None:
    """Write structlog's and the standard library's records in one form."""

    def add_service(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    marks: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_correlation,
        add_service,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*marks, _render],
        logger_factory=_factory(sys.stdout),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.terminator = ""
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), structlog.stdlib.ExtraAdder(), *marks],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _drop_colours, _render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("aiokafka", "httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _factory(stream: TextIO) -> Callable[[str], _Lines]:
    def make(name: str) -> _Lines:
        return _Lines(name, stream)

    return make


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    return cast(structlog.typing.FilteringBoundLogger, structlog.get_logger(name))
