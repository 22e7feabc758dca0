from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from bench.figures import Figure, Result, milliseconds, save

RESULT = Result(
    benchmark="http",
    began_at="2026-11-22T21:00:00.000000Z",
    settings={"connections": 64},
    machine={"cores": "2"},
    figures=[Figure("accepted", 1234.567, "/s"), Figure("not accepted", 0), Figure("ratio", 0.12345)],
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (20_000, "20,000"), (1234.567, "1,235"), (12.345, "12.3"), (1.2345, "1.23"), (math.nan, "-")],
)
def test_a_figure_is_written_with_the_digits_it_deserves(value: float, text: str) -> None:
    assert Figure("any", value).text() == text


def test_seconds_are_told_in_milliseconds() -> None:
    assert milliseconds("wait", 0.25) == Figure("wait", 250.0, "ms")


def test_the_table_names_settings_figures_and_machine() -> None:
    text = RESULT.as_text()

    assert text.splitlines()[0] == "http (connections 64)"
    assert "accepted      1,235 /s" in text
    assert "on: cores 2" in text


def test_a_figure_that_could_not_be_measured_is_null_in_json() -> None:
    result = Result("http", RESULT.began_at, {}, {}, [Figure("wait", math.nan, "ms")])

    assert json.loads(json.dumps(result.as_json()))["figures"] == [{"name": "wait", "value": None, "unit": "ms"}]


def test_results_of_a_day_are_kept_together(tmp_path: Path) -> None:
    save(RESULT, tmp_path)
    file = save(RESULT, tmp_path)

    assert file.name == "2026-11-22.json"
    assert [kept["benchmark"] for kept in json.loads(file.read_text(encoding="utf-8"))] == ["http", "http"]
