from __future__ import annotations

import io
import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry.context import Trace, bind_trace, bound_trace, child, current_trace, new_trace
from shared.telemetry.logs import configure_logging, get_logger

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_callers_trace_goes_on() -> None:
    trace = new_trace("case-7", TRACEPARENT)
    assert (trace.correlation_id, trace.traceparent) == ("case-7", TRACEPARENT)


def test_without_a_correlation_id_the_trace_id_serves() -> None:
    assert new_trace(None, TRACEPARENT).correlation_id == "0af7651916cd43dd8448eb211c80319c"


@given(st.text(), st.text())
def test_whatever_a_caller_sends_the_trace_is_well_formed(correlation_id: str, traceparent: str) -> None:
    trace = new_trace(correlation_id, traceparent)
    version, trace_id, span_id, flags = trace.traceparent.split("-")
    assert (len(version), len(trace_id), len(span_id), len(flags)) == (2, 32, 16, 2)
    assert 0 < len(trace.correlation_id) <= 64
    assert "\n" not in trace.correlation_id


def test_a_child_has_the_same_trace_and_another_span() -> None:
    trace = new_trace("case-7", TRACEPARENT)
    other = child(trace)
    assert other.correlation_id == "case-7"
    assert other.traceparent.split("-")[1] == trace.traceparent.split("-")[1]
    assert other.traceparent.split("-")[2] != trace.traceparent.split("-")[2]


@given(st.text(), st.text())
def test_a_trace_that_came_malformed_is_begun_afresh(correlation_id: str, traceparent: str) -> None:
    version, trace_id, span_id, flags = child(Trace(correlation_id, traceparent)).traceparent.split("-")
    assert (len(version), len(trace_id), len(span_id), len(flags)) == (2, 32, 16, 2)


def test_a_bound_trace_ends_with_its_block() -> None:
    with bind_trace(new_trace("case-7")):
        assert current_trace().correlation_id == "case-7"
    assert bound_trace() is None


def test_a_log_that_nobody_reads_any_more_stops_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    ended = io.StringIO()
    monkeypatch.setattr(sys, "stdout", ended)
    try:
        configure_logging("example", "INFO")
        ended.close()
        get_logger("tests.ended").info("accepted")
    finally:
        root.handlers[:], root.level = before


def test_a_log_line_is_json_with_the_service_and_the_correlation_id(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    try:
        configure_logging("example", "INFO")
        with bind_trace(new_trace("case-7")):
            get_logger("tests").info("受理 accepted", count=3)
            logging.getLogger("some.library").warning("the %s went", "peer")
    finally:
        root.handlers[:], root.level = before
    ours, theirs = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert ours["event"] == "受理 accepted"
    assert (ours["service"], ours["correlation_id"], ours["count"], ours["level"]) == ("example", "case-7", 3, "info")
    assert theirs["event"] == "the peer went"
    assert theirs["correlation_id"] == "case-7"
