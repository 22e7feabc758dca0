"""Rows become events: instants in several formats, filters, wide logs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from punctual.replay.logs import Malformed, Row
from punctual.replay.mapping.events import EventLog, collect_events
from punctual.replay.mapping.instants import InstantReader, InstantUnreadable
from punctual.replay.mapping.model import Instants, LogMap

REQUEST = {"kind": "claim", "market": "HK", "language": "en", "channel": "app"}


def collect(rows: list[dict[str, str]], columns: dict[str, Any] | None = None, **more: Any) -> EventLog:
    log_map = LogMap.model_validate(
        {
            "columns": columns or {"case": "case", "activity": "what", "instant": "at", "resource": "who"},
            "request": REQUEST,
            "activities": {"a": "submit"},
            **more,
        }
    )
    return collect_events([Row(line, values) for line, values in enumerate(rows, start=2)], log_map)


@pytest.mark.parametrize(
    ("text", "formats", "zone", "wanted"),
    [
        ("2011-10-11 13:45:40.276000+02:00", "iso", None, datetime(2011, 10, 11, 11, 45, 40, 276000, UTC)),
        ("2011-12-06 01:06:40+01:00", "iso", None, datetime(2011, 12, 6, 0, 6, 40, tzinfo=UTC)),
        ("2026-03-02T09:00:00Z", "iso", None, datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("2014-04-10 22:00:00", "iso", "UTC", datetime(2014, 4, 10, 22, tzinfo=UTC)),
        ("2014-07-10 22:00:00", "iso", "Europe/Amsterdam", datetime(2014, 7, 10, 20, tzinfo=UTC)),
        ("09-01-2008", "%d-%m-%Y", "Asia/Hong_Kong", datetime(2008, 1, 8, 16, tzinfo=UTC)),
        ("1262304000", "epoch_seconds", None, datetime(2010, 1, 1, tzinfo=UTC)),
        ("1262304000500", "epoch_milliseconds", None, datetime(2010, 1, 1, 0, 0, 0, 500000, UTC)),
        ("5/1/2010", ("iso", "%m/%d/%Y"), "UTC", datetime(2010, 5, 1, tzinfo=UTC)),
        ("2014-03-30 02:30:00", "iso", "Europe/Amsterdam", datetime(2014, 3, 30, 1, 30, tzinfo=UTC)),  # never was
        ("2014-10-26 02:30:00", "iso", "Europe/Amsterdam", datetime(2014, 10, 26, 0, 30, tzinfo=UTC)),  # was twice
    ],
)
def test_instants_are_read_in_every_format_and_zone(
    text: str, formats: str | tuple[str, ...], zone: str | None, wanted: datetime
) -> None:
    assert InstantReader(Instants.model_validate({"formats": formats, "zone": zone})).read(text) == wanted


@pytest.mark.parametrize(
    ("text", "zone", "reason"),
    [
        ("yesterday", None, "not written as iso"),
        ("2014-04-10 22:00:00", None, "no offset"),
        ("0001-01-01T00:00:00+05:00", None, "years 1 to 9999"),
        ("2014-02-30", "UTC", "not written as iso"),
    ],
)
def test_an_instant_that_cannot_be_read_says_why_without_repeating_it(text: str, zone: str | None, reason: str) -> None:
    with pytest.raises(InstantUnreadable, match=reason) as refused:
        InstantReader(Instants(zone=zone)).read(text)
    assert text not in str(refused.value)


def test_events_are_sorted_by_instant_and_ties_keep_the_order_of_the_log() -> None:
    log = collect(
        [
            {"case": "1", "what": "late", "at": "2026-03-02T10:00:00Z"},
            {"case": "1", "what": "tie b", "at": "2026-03-02T09:00:00Z"},
            {"case": "2", "what": "tie a", "at": "2026-03-02T17:00:00+08:00"},
        ]
    )
    assert [event.activity for event in log.events] == ["tie b", "tie a", "late"]


def test_rows_without_case_activity_or_instant_are_malformed() -> None:
    at = "2026-03-02T10:00:00Z"
    log = collect(
        [{"case": " ", "what": "a", "at": at}, {"case": "1", "at": at}, {"case": "1", "what": "a", "at": "NA"}]
    )
    assert [bad.line for bad in log.malformed] == [2, 3, 4]
    assert [bad.reason.split(" (")[0] for bad in log.malformed[:2]] == ["no case", "no activity"]


def test_values_that_mean_nothing_are_as_good_as_empty() -> None:
    log = collect([{"case": "1", "what": "a", "at": "NA"}], missing=["NA"])
    assert log.malformed == [Malformed(2, "no instant (column at)")]


def test_several_activity_columns_are_joined_without_the_empty_ones() -> None:
    columns = {"case": "case", "activity": ["what", "step", "result"], "instant": "at"}
    at = "2026-03-02T10:00:00Z"
    rows = [
        {"case": "1", "what": "end", "step": "", "result": "paid", "at": at},
        {"case": "1", "what": "end", "at": at},
    ]
    assert [event.activity for event in collect(rows, columns).events] == ["end / paid", "end"]


def test_filters_leave_rows_out_and_count_them() -> None:
    at = "2026-03-02T10:00:00Z"
    rows = [{"case": "1", "what": "a", "at": at, "life": life} for life in ("start", "complete", "")]
    log = collect(rows, filters=[{"column": "life", "only": "complete"}])
    assert (len(log.events), log.filtered, log.rows) == (1, 2, 3)
    log = collect(rows, filters=[{"column": "life", "without": ["start", ""]}])
    assert (len(log.events), log.filtered) == (1, 2)


def test_a_wide_row_gives_an_event_per_instant_it_has() -> None:
    columns = {"case": "id", "instants": {"opened": "open_at", "closed": "closed_at"}}
    rows = [
        {"id": "1", "open_at": "2026-03-02T10:00:00Z", "closed_at": "2026-03-03T10:00:00Z"},
        {"id": "2", "open_at": "2026-03-02T11:00:00Z", "closed_at": ""},
        {"id": "3", "open_at": "never", "closed_at": ""},
    ]
    log = collect(rows, columns)
    assert [(event.case, event.activity) for event in log.events] == [("1", "opened"), ("2", "opened"), ("1", "closed")]
    assert [bad.line for bad in log.malformed] == [4]
