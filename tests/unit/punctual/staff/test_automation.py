"""The commands for rules of automation: what a trial over several pages adds up to, and what is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from punctual.cli import make_app

PAGES: list[dict[str, Any]] = [
    {
        "requests": 500,
        "rules": [
            {"rule": "closes", "acted": 3, "times": 3, "held_back": 0, "agreed": 1, "disagreed": 1, "listed": []},
            {
                "rule": "stage_waits",
                "acted": 30,
                "times": 50,
                "held_back": 4,
                "agreed": 0,
                "disagreed": 0,
                "listed": [
                    {
                        "reference": "K7M4Q-2XD9C",
                        "sequence": 4,
                        "at": "2026-05-05T01:00:00Z",
                        "agrees": None,
                        "held_back": False,
                    }
                ],
            },
        ],
        "next": "01a21655-1b9b-7d69-917f-03561cec0131",
    },
    {
        "requests": 20,
        "rules": [
            {"rule": "closes", "acted": 1, "times": 1, "held_back": 0, "agreed": 1, "disagreed": 0, "listed": []},
            {"rule": "stage_waits", "acted": 1, "times": 2, "held_back": 0, "agreed": 0, "disagreed": 0, "listed": []},
        ],
        "next": None,
    },
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The bodies that intake was sent, page after page."""
    seen: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return httpx.Response(200, json=PAGES[len(seen) - 1])

    class Client(httpx.Client):
        def __init__(self, *, base_url: str, headers: dict[str, str], **_: object) -> None:
            super().__init__(base_url=base_url, headers=headers, transport=httpx.MockTransport(answer))

    monkeypatch.setattr(httpx, "Client", Client)
    return seen


def test_a_trial_says_on_how_many_requests_a_rule_would_have_come_and_how_often(
    asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "automation.yml"
    file.write_text("the rules", encoding="utf-8")
    arguments = ["automation", "try", str(file), "--from", "2026-05-01", "--url", "https://intake", "--key", "k"]
    result = CliRunner().invoke(make_app(), arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "closes: would have acted on 4 of 520 requests, people ended 2 the same way and 1 otherwise",
        "stage_waits: would have acted on 31 of 520 requests, 52 times in all, held back 4",
        "  K7M4Q-2XD9C after entry 4, 2026-05-05T01:00:00Z",
    ]
    assert [(body["source"], body["after"]) for body in asked] == [
        ("the rules", None),
        ("the rules", "01a21655-1b9b-7d69-917f-03561cec0131"),
    ]
