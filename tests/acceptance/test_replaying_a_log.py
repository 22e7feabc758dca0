"""A log is replayed through the API of a real intake: every line is accounted for, and intake holds what is reported.

All logs of others in full: `python -m tests.campaign.replay`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from punctual.local.system import LocalSystem
from tests.campaign.replay import DATA, LOGS
from tests.campaign.replay_comparing import differences
from tests.campaign.replay_counting import count_log
from tests.campaign.replay_rig import look_at, replayed, running_intake
from tests.campaign.replay_slicing import slice_log

CASES = 15

LOG = """\
case,what,at,sum,state
A,open,2024-03-04T09:00:00+08:00,1200,done
A,look,2024-03-04T09:05:00+08:00,,done
A,answer,2024-03-04T09:10:00+08:00,,done
A,end,2024-03-05T09:00:00+08:00,,done
B,open,2024-03-04T10:00:00+08:00,1200,done
B,end,2024-03-04T11:00:00+08:00,,done
B,look,2024-03-04T12:00:00+08:00,,done
C,open,2024-03-04T10:00:00+08:00,2000000000,done
C,end,2024-03-04T11:00:00+08:00,,done
D,open,2024-03-04T10:00:00+08:00,-5,done
D,look,2024-03-04T11:00:00+08:00,,done
E,open,the other day,1200,done
,open,2024-03-04T10:00:00+08:00,1200,done
F,open,2024-03-04T10:00:00+08:00
A,noise,2024-03-04T09:06:00+08:00,,done
A,other,2024-03-04T09:07:00+08:00,,done
A,look,2024-03-04T09:08:00+08:00,,draft
A,look,2024-03-04T09:09:00+08:00,,done
G,wait,2024-03-04T10:00:00+08:00,1200,done
"""

MAP = """\
columns: {case: case, activity: what, instant: at}
filters: [{column: state, without: [draft]}]
request:
  kind: enquiry
  market: HK
  language: en
  channel: app
  attributes: {amount: {column: sum, as: number}}
activities:
  open: submit
  look: {stage: answering}
  answer: respond
  wait: {pause: third_party}
  end: {close: answered}
  noise: ignore
"""

READ = {
    "rows": 19,
    "events": 15,
    "cases": 5,
    "activities": {"open": 4, "look": 4, "end": 3, "answer": 1, "noise": 1, "other": 1, "wait": 1},
    "malformed": 3,
    "filtered": 1,
}
PLANNED = {
    "cases": 5,
    "calls": 13,
    "actions": {"submit": 5, "stage answering": 3, "close answered": 3, "respond": 1, "pause third_party": 1},
    "played": {"open": 4, "look": 3, "end": 3, "answer": 1, "wait": 1},
    "ignored": {"noise": 1},
    "unmapped": {"other": 1},
    "without_effect": 1,
}
ANSWERED = {
    "sent": 12,
    "accepted": 10,
    "not_sent": 1,
    "accepted_actions": {"submit": 4, "close answered": 3, "stage answering": 1, "respond": 1, "pause third_party": 1},
    "refused_actions": {"stage answering": {"request_over": 1}, "submit": {"data_refused": 1}},
    "doubted": {"amount_is_not_gigantic": 1},
    "doubts_dismissed": 1,
    "requests": 4,
    "closed": 3,
    "states": {"closed": 3, "paused": 1},
}


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    with running_intake(tmp_path_factory.mktemp("replay") / "home") as system:
        yield system


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    (folder / "map.yml").write_text(MAP)
    (folder / "log.csv").write_text(LOG)
    return folder / "log.csv"


def test_every_line_is_accounted_for_and_intake_holds_what_is_reported(intake: LocalSystem, log: Path) -> None:
    outcome = replayed(intake, log, str(log.with_name("map.yml")))
    report = outcome.as_dict(whole=True)
    for expected, found in ((READ, report["read"]), (PLANNED, report["planned"]), (ANSWERED, report)):
        assert {name: found[name] for name in expected} == expected
    assert [bad["line"] for bad in report["malformed"]] == [13, 14, 15]
    assert {(refusal["line"], refusal["code"]) for refusal in report["refusals"]} == {
        (8, "request_over"),
        (11, "data_refused"),
    }
    stored = look_at(intake, outcome)
    assert stored.cases == {"A": 1, "B": 1, "C": 1, "G": 1}
    assert stored.calls == report["accepted_actions"]
    assert (stored.outcomes, stored.dismissed) == ({"answered": 3}, 1)
    assert stored.entries == stored.events == 12  # ten calls, a doubt, a dismissal
    assert stored.unproved == []


def test_a_repeat_doubles_nothing_and_reports_the_same(intake: LocalSystem, log: Path) -> None:
    first = replayed(intake, log, str(log.with_name("map.yml")))
    before = look_at(intake, first)
    again = replayed(intake, log, str(log.with_name("map.yml")))
    assert again.as_dict(whole=True)["repeated"] == 10
    for name in ("accepted_actions", "refused_actions", "doubted", "doubts_dismissed", "states"):
        assert again.as_dict(whole=True)[name] == first.as_dict(whole=True)[name]
    assert look_at(intake, again) == before


def test_without_a_key_of_staff_a_doubt_stays_and_the_refused_decision_is_told(
    intake: LocalSystem, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUNCTUAL_HOME", str(tmp_path))  # where the log was laid is kept there
    map_name = str(log.with_name("map.yml"))
    now = intake.business_now()
    outcome = replayed(intake, log, map_name, name="by a channel", only_key=intake.keys["app"])
    report = outcome.as_dict(whole=True)
    assert (report["doubted"], report["doubts_dismissed"]) == ({"amount_is_not_gigantic": 1}, 0)
    assert report["refused_actions"]["close answered"] == {"doubt_open": 1}
    assert (report["accepted_actions"]["close answered"], report["closed"]) == (2, 2)
    assert "doubted     1 findings, 0 dismissed" in list(outcome.lines())
    assert look_at(intake, outcome).dismissed == 0
    assert now <= outcome.last_at + outcome.shift <= intake.business_now(), "the log does not end now"


THERE = {name: (map_name, DATA / file) for name, (map_name, file) in LOGS.items() if (DATA / file).is_file()}

if THERE:

    @pytest.mark.parametrize("name", THERE)
    def test_the_first_cases_of_a_log_of_others_are_what_an_independent_count_says(
        intake: LocalSystem, tmp_path: Path, name: str
    ) -> None:
        map_name, log = THERE[name]
        part = slice_log(log, map_name, tmp_path, cases=CASES)
        outcome = replayed(intake, part, map_name)
        count = count_log(part, map_name)
        assert len(count.cases) == CASES
        assert count.calls.total() > CASES
        assert differences(count, outcome.as_dict(whole=True), look_at(intake, outcome)) == []
