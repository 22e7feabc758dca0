"""Figures, screen and plain lines; the reviewer's verdicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import httpx
from rich.console import Console

from punctual.demo.figures import Figures
from punctual.demo.lines import plain_line
from punctual.demo.reviewer import Reviewer, verdict
from punctual.demo.screen import render, score_words
from punctual.demo.sender import Happening
from punctual.demo.services import gauge
from tests.unit.punctual.replay.replay_world import problem

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
EMPTY = Figures(AT, 3600.0, 0.0)
FULL = replace(
    EMPTY,
    sent=12,
    refused={"stage_forbidden": 1},
    intake={"requests": 12, "open": 5, "closed": 7, "by_kind": {"policy_service": 12}},
    sla_timer={
        "open": 9,
        "met": 8,
        "missed": 1,
        "breached": 1,
        "warnings": 3,
        "next_timer_at": "2026-03-03T02:45:00Z",
        "lateness_p99_ms": 4.4,
    },
    notifier={"sent": 30},
    quality_audit={"sampled": 4, "reviewed": 2},
    score={"accuracy": {"point": 0.975, "lower": 0.9, "upper": 0.99}, "timeliness": {"point": 0.8}},
    plumbing={"intake": {"backlog": 2.0, "lag": 1.0}, "notifier": {"backlog": 1.0, "lag": 4.0}},
    down=("notifier",),
)


def drawn(figures: Figures) -> str:
    console = Console(width=140, record=True, file=StringIO())
    latest = [Happening(AT, "K7M4Q-2XD9C", "HK", "zh-Hant", "claim by app")]
    console.print(render(figures, latest, {"mails": "http://127.0.0.1:8826"}))
    return console.export_text()


def test_the_screen_can_be_drawn_before_anything_is_known() -> None:
    assert "http://127.0.0.1:8826" in drawn(EMPTY)


def test_the_screen_shows_the_figures() -> None:
    screen = drawn(FULL)
    for shown in (
        "Mon 2026-03-02 01:00 UTC",
        "3600 times",
        "policy service",
        "80.0%",
        "97.5% (90% to 99%)",
        "4 ms",
        "Tue 02:45",
    ):
        assert shown in screen
    assert "not answering: notifier" in screen
    assert "K7M4Q-2XD9C HK 繁 claim by app" in screen


def test_the_plain_line_says_the_same() -> None:
    line = plain_line(FULL)
    for shown in (
        "requests 12 (5 open)",
        "in time 80.0%",
        "samples 2/4 reviewed",
        "backlog 3; lag 5",
        "1 stage_forbidden",
    ):
        assert shown in line
    assert "\n" not in line
    assert "in time -" in plain_line(EMPTY)


def test_figures_can_be_written_as_json() -> None:
    values = FULL.as_dict()
    assert (values["business_at"], values["attainment"]) == ("2026-03-02T01:00:00+00:00", 0.8)


def test_a_score_without_reviews_is_not_shown() -> None:
    assert score_words(None) is None
    assert score_words({"point": None, "lower": 0.0, "upper": 1.0}) is None


def test_a_metric_is_summed_over_its_labels() -> None:
    samples = [f'punctual_inbox_lag{{partition="{partition}"}} {lag}' for partition, lag in ((0, 2.0), (1, 3.0))]
    text = "\n".join(["# TYPE punctual_inbox_lag gauge", *samples, ""])
    assert gauge(text, "punctual_inbox_lag") == 5.0
    assert gauge(text, "punctual_outbox_backlog") == 0


def test_a_verdict_on_a_sample_is_always_the_same_and_mostly_good() -> None:
    verdicts = [verdict(f"sample-{number}") for number in range(500)]
    assert verdicts == [verdict(f"sample-{number}") for number in range(500)]
    wrong = [given for given in verdicts if not given["is_accurate"] or not given["is_complete"]]
    assert 10 < len(wrong) < 80
    assert all(given["error_causes"] for given in wrong)
    assert not any(given["error_causes"] for given in verdicts if given not in wrong)


async def test_the_reviewer_goes_on_after_a_refusal_and_leaves_that_sample_alone() -> None:
    posted: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"samples": [{"id": "own"}, {"id": "other"}]})
        posted.append(request.url.path.split("/")[3])
        return problem(409, "own_case") if posted[-1] == "own" else httpx.Response(201, json={})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://quality.test")
    reviewer = Reviewer(http, "key")
    await reviewer.review_open()
    await reviewer.review_open()
    assert posted == ["own", "other", "other"]
