"""MAP.yaml: every mistake is told with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from punctual.replay.mapping import load_map
from punctual.replay.mapping.choices import FromColumn
from punctual.replay.mapping.loading import own_maps, parse_map
from shared.errors import ConfigurationError

GOOD = """
columns:
  case: id
  activity: what
  instant: at
request:
  kind: claim
  market: HK
  language: en
  channel: app
activities:
  Opened: submit
  Looked at: [{resume: third_party}, {stage: assessment}]
  Closed: {close: paid, take: last}
  NA: ignore
"""


def complaint(text: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        parse_map(text, "my.yml")
    return str(refused.value)


def test_a_small_map_has_sensible_defaults() -> None:
    log_map = parse_map(GOOD, "my.yml")
    assert (log_map.delimiter, log_map.encoding, log_map.request.priority) == (",", "utf-8", "normal")
    assert [action.verb for action in log_map.activities["Looked at"]] == ["resume", "stage"]
    assert log_map.activities["Closed"][0].object == "paid"
    assert log_map.unmapped[0].verb == "ignore"
    assert log_map.needed_columns() == ["id", "what", "at"]


def test_words_that_yaml_would_turn_into_something_else_stay_words() -> None:
    log_map = parse_map(
        GOOD.replace("market: HK", "market: {column: no, values: {yes: TW, 2: CN, 2026-01-01: HK}}"), "x"
    )
    assert isinstance(log_map.request.market, FromColumn)
    assert log_map.request.market.column == "no"
    assert log_map.request.market.values == {"yes": "TW", "2": "CN", "2026-01-01": "HK"}


@pytest.mark.parametrize("name", own_maps())
def test_the_maps_that_come_with_the_program_are_good(name: str) -> None:
    assert load_map(Path(name)).activities


@pytest.mark.parametrize(
    ("found", "instead", "said"),
    [
        ("kind: claim", "kind: clam", "my.yml:7: request.kind: Input should be 'claim',"),
        ("  kind: claim\n", "", "my.yml:6: request.kind: Field required"),
        ("channel: app", "chanel: app", "my.yml:10: request.chanel: Extra inputs"),
        ("market: HK", "market: {column: m, values: {a: XX}}", "my.yml:8: request.market.values.a: Input should be"),
        ("market: HK", "market: {values: {a: HK}}", "my.yml:8: request.market.column: Field required"),
        (
            "{close: paid, take: last}",
            "{close: paid, stage: x}",
            "my.yml:14: activities.Closed.0: Value error, exactly one",
        ),
        ("{close: paid, take: last}", "shut", "my.yml:14: activities.Closed: Value error, 'shut' alone is no action"),
        (
            "{close: paid, take: last}",
            "{stage: x, reason: y}",
            "my.yml:14: activities.Closed.0: Value error, only `close`",
        ),
        ("{stage: assessment}]", "{stage: 'a b'}]", "my.yml:13: activities.Looked at.1.stage: String should match"),
        ("  instant: at\n", "", "my.yml:2: columns: Value error, either activity and instant"),
        ("columns:", "delimiter: ab\ncolumns:", "my.yml:2: delimiter: Value error, one character"),
        ("columns:", "encoding: klingon\ncolumns:", "my.yml:2: encoding: Value error, no such encoding"),
        ("columns:", "instants: {zone: Mars/Base}\ncolumns:", "my.yml:2: instants.zone: Value error, no such zone"),
        ("columns:", "begins_at: 2026-03-02\ncolumns:", "my.yml:2: begins_at: Input should have timezone info"),
        ("columns:", "filters: [{column: c}]\ncolumns:", "my.yml:2: filters.0: Value error, either only or without"),
        ("  NA: ignore", "  Opened: ignore", "my.yml:15: activities.Opened: named twice"),
        ("columns:", "columns: [", "my.yml:"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_field(found: str, instead: str, said: str) -> None:
    assert found in GOOD
    assert said in complaint(GOOD.replace(found, instead, 1))


def test_all_mistakes_are_told_at_once() -> None:
    told = complaint(GOOD.replace("claim", "clam").replace("market: HK", "market: XX")).splitlines()
    assert [line.split(": ")[1] for line in told] == ["request.kind", "request.market"]


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text", "\x00", "a: &a [*a]"])
def test_what_is_no_map_is_refused(text: str) -> None:
    assert complaint(text).startswith("my.yml:")


def test_a_map_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load_map(tmp_path / "no.yml")
    (tmp_path / "latin.yml").write_bytes("größe: 1".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_map(tmp_path / "latin.yml")
