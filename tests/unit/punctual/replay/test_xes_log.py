"""XES: streamed, with line numbers, and closed to entity bombs."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from punctual.replay.logs import Malformed, Row, read_log

LOG = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <string key="concept:name" value="name of the log"/>
  <global scope="event"><string key="concept:name" value="not an event"/></global>
  <trace>
    <string key="concept:name" value="案件 1"/>
    <float key="amount" value="7.5"/>
    <event>
      <string key="concept:name" value="first &amp; best"/>
      <date key="time:timestamp" value="2026-03-02T09:00:00+08:00"/>
      <list key="nested"><string key="concept:name" value="not this one"/></list>
      <string key="org:resource" value="s-1"><string key="concept:name" value="nor this"/></string>
    </event>
    <event><string key="concept:name" value="second"/></event>
  </trace>
  <trace><string key="concept:name" value="2"/></trace>
</log>
"""


def entries(path: Path, content: bytes) -> list[Row | Malformed]:
    path.write_bytes(content)
    return list(read_log(path, log_format=None, delimiter=",", encoding="utf-8", needed=["ignored for xes"]))


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress])
def test_events_carry_their_attributes_and_their_traces(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    first, second = entries(tmp_path / "log.xes", pack(LOG.encode()))
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert first.line == 8
    assert first.values == {
        "case:concept:name": "案件 1",
        "case:amount": "7.5",
        "concept:name": "first & best",
        "time:timestamp": "2026-03-02T09:00:00+08:00",
        "org:resource": "s-1",
    }
    assert second.values["concept:name"] == "second"


def test_prefixed_elements_are_read_too(tmp_path: Path) -> None:
    content = LOG.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?").replace("xmlns=", "xmlns:x=")
    assert len(entries(tmp_path / "log.xes", content.encode())) == 2


def test_attributes_of_a_trace_may_come_after_its_events(tmp_path: Path) -> None:
    content = "<log><trace><event><string key='a' value='1'/></event><string key='n' value='9'/></trace></log>"
    (row,) = entries(tmp_path / "log.xes", content.encode())
    assert isinstance(row, Row)
    assert row.values == {"case:n": "9", "a": "1"}


def test_a_log_that_is_cut_off_gives_what_comes_before_and_the_line(tmp_path: Path) -> None:
    lines = LOG.splitlines(keepends=True)
    found = entries(tmp_path / "log.xes", "".join(lines[:13]).encode())
    assert isinstance(found[0], Row)
    assert isinstance(found[1], Malformed)
    assert found[1].line == 14
    assert "not XML from here on: no element found" in found[1].reason


def test_broken_xml_is_told_with_its_line(tmp_path: Path) -> None:
    found = entries(tmp_path / "log.xes", LOG.replace("</event>", "</evnt>", 1).encode())
    assert isinstance(found[-1], Malformed)
    assert (found[-1].line, "mismatched tag" in found[-1].reason) == (13, True)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE log SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE log [<!ENTITY secret SYSTEM "file:///etc/passwd">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entity_bombs_and_foreign_files_are_refused(tmp_path: Path, doctype: str, encoding: str) -> None:
    body = "<log><trace><event><string key='a' value='&b;'/></event></trace></log>"
    found = entries(
        tmp_path / "log.xes", f"<?xml version='1.0' encoding='{encoding}'?>{doctype}{body}".encode(encoding)
    )
    (refusal,) = found
    assert isinstance(refusal, Malformed)
    assert "document type declaration" in refusal.reason


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"case,activity\n1,a\n", b"<log>"])
def test_what_is_no_xes_is_one_malformed_line(tmp_path: Path, content: bytes) -> None:
    (found,) = entries(tmp_path / "log.xes", content)
    assert isinstance(found, Malformed)


def test_elements_nested_very_deep_are_read(tmp_path: Path) -> None:
    deep = "<list key='l'>" * 50_000 + "</list>" * 50_000
    content = f"<log><trace><event>{deep}<string key='a' value='1'/></event></trace></log>"
    (row,) = entries(tmp_path / "log.xes", content.encode())
    assert isinstance(row, Row)
    assert row.values == {"a": "1"}
