"""Five accounts of one replay: its report, a count of the file, and what intake's tables, its API and Kafka hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.campaign.replay_counting import Count
from tests.campaign.replay_rig import Stored


def differences(count: Count, report: dict[str, Any], stored: Stored) -> list[str]:
    """One line for each figure that is not the same everywhere; none is as it should be.

    Args:
        report: of `Outcome.as_dict(whole=True)`.
    """
    pairs = [*_report_and_file(count, report), *_inside_the_report(report), *_report_and_store(count, report, stored)]
    return [f"{what}: {one} and {other}" for what, one, other in pairs if one != other]


def _report_and_file(count: Count, report: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    read, planned = report["read"], report["planned"]
    yield "lines", read["rows"], count.rows
    yield "lines filtered", read["filtered"], count.filtered
    yield "lines malformed", read["malformed"], 0
    yield "events", read["events"], count.events
    yield "events by activity", read["activities"], dict(count.activities)
    yield "cases", read["cases"], len(count.cases)
    yield "calls by action", planned["actions"], dict(count.calls)
    silent = sum(planned["ignored"].values()) + sum(planned["unmapped"].values()) + planned["without_effect"]
    yield "events that ask nothing", silent, count.silent.total()
    yield "events that ask something", planned["played"], dict(count.activities - count.silent)
    yield "calls accepted", report["accepted_actions"], dict(count.taken)
    yield "calls refused", _refused(report), dict(count.refused)
    yield "requests closed", report["closed"], count.outcomes.total()


def _inside_the_report(report: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    read, planned = report["read"], report["planned"]
    accounted = sum(sum(planned[part].values()) for part in ("played", "ignored", "unmapped"))
    accounted += sum(planned[part] for part in ("without_effect", "events_of_unusable_cases", "events_beyond_limit"))
    yield "events and what became of each", accounted, read["events"]
    yield "cases and what became of each", _cases(planned), read["cases"]
    answered = Counter(report["accepted_actions"])
    for (action, _), number in _refused(report).items():
        answered[action] += number
    yield "calls and their answers", dict(answered), planned["actions"]
    yield "calls not sent", report["not_sent"], 0
    yield "refusals told one by one", len(report["refusals"]), sum(report["refused"].values())
    yield "interrupted", (report["is_interrupted"], report["stopped_by"]), (False, None)
    yield "doubts dismissed", report["doubts_dismissed"], sum(report["doubted"].values())


def _report_and_store(count: Count, report: dict[str, Any], stored: Stored) -> Iterator[tuple[str, Any, Any]]:
    yield "requests", report["requests"], stored.cases.total()
    yield "a request for each case", stored.cases, Counter(stored.cases.keys())
    yield "requests by kind", dict(stored.kinds), dict(count.kinds)
    yield "requests by channel", dict(stored.channels), dict(count.channels)
    yield "requests by outcome", dict(stored.outcomes), dict(count.outcomes)
    yield "requests closed, by the API", report["states"].get("closed", 0), stored.outcomes.total()
    yield "requests looked up", sum(report["states"].values()), report["requests"]
    yield "entries that callers caused", dict(stored.calls), report["accepted_actions"]
    yield "findings dismissed", stored.dismissed, report["doubts_dismissed"]
    consequences = stored.entries - stored.calls.total() - stored.dismissed
    yield "entries of findings", consequences > 0, bool(report["doubted"])
    yield "events in Kafka", stored.events, stored.entries
    yield "histories that do not prove themselves", stored.unproved, []


def _refused(report: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(action, code): n for action, codes in report["refused_actions"].items() for code, n in codes.items()}


def _cases(planned: dict[str, Any]) -> int:
    unusable: int = sum(planned["unusable_cases"].values())
    return int(planned["cases"]) + int(planned["cases_without_events"]) + unusable
