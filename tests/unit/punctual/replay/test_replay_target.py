"""Where a replay goes: keys per channel, homes per log, and where the log was laid on a running system's time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from punctual.local.folders import Folders
from punctual.local.run_record import HomeLock
from punctual.replay.target import Beginnings, Target, forget, own_system, replay_home
from shared.errors import ConfigurationError

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUNCTUAL_HOME", str(tmp_path))
    return tmp_path


def test_each_channel_has_its_key_and_a_channel_without_one_is_told() -> None:
    target = Target("http://x", {"app": "a", "agent": "b", "staff": "s"})
    assert target.key_of("agent") == "b"
    with pytest.raises(ConfigurationError, match=r"channel fax, which this system does not have; it has app, agent$"):
        target.key_of("fax")
    assert Target("http://x", only_key="k").key_of("fax") == "k"


def test_doubts_are_judged_by_staff_and_by_no_channel() -> None:
    assert Target("http://x", {"app": "a", "staff": "s"}).staff_key == "s"
    assert Target("http://x", only_key="k").staff_key is None


def test_a_repeat_is_laid_where_the_first_replay_was() -> None:
    assert Beginnings("http://x", "log").recall(AT) is None
    Beginnings("http://x", "log").keep(AT, "http://x", "log")
    assert Beginnings("http://x", "log").recall(AT + timedelta(days=3)) == AT
    assert Beginnings("http://x", "other").recall(AT + timedelta(days=3)) is None
    assert Beginnings("http://y", "log").recall(AT + timedelta(days=3)) is None


def test_a_beginning_in_the_system_s_future_belonged_to_another_system() -> None:
    Beginnings("http://x", "log").keep(AT, "http://x", "log")
    assert Beginnings("http://x", "log").recall(AT - timedelta(seconds=1)) is None


def test_homes_of_logs_do_not_meet_and_stay_below_the_home(home: Path) -> None:
    names = ["log.csv", "../../etc/passwd", "a/b", "a-b", "案件.csv", "..", ""]
    homes = [replay_home(name) for name in names]
    assert len(set(homes)) == len(names)
    assert all(each.resolve().parent == (home / "replay").resolve() for each in homes)


def test_a_log_from_before_intake_s_time_is_refused_with_the_way_out(home: Path) -> None:
    early = datetime(1970, 1, 1, tzinfo=UTC)
    with pytest.raises(ConfigurationError, match=r"1970-01-01.*begins_at in the map, or --begin"):
        own_system(home, begins_at=early, ends_at=AT, speed=1.0, report=print).__enter__()


def test_what_an_earlier_replay_left_is_forgotten_unless_it_runs(home: Path) -> None:
    forget(home / "never")
    folders = Folders(home / "log")
    folders.make()
    running = HomeLock(folders)
    running.take()
    with pytest.raises(ConfigurationError):
        forget(home / "log")
    assert folders.data.is_dir()
    running.release()
    forget(home / "log")
    assert not folders.data.exists()
