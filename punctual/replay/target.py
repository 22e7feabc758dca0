"""The system that a replay talks to: its own, brought up for it, or one that runs already."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from punctual.local.folders import Folders, readable_errors
from punctual.local.placement import forget_postgres
from punctual.local.run_record import HomeLock
from punctual.local.settings import LocalSettings
from punctual.local.system import LocalSystem
from shared.clock import monotonic
from shared.errors import ConfigurationError
from shared.settings import load_settings

_STARTUP = timedelta(seconds=12)
"""Real time that is allowed from the start of the system to its first answer, before the log begins."""

_SLACK = timedelta(seconds=1)  # real time by which the log may begin late without anybody minding

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Intake takes nothing older."""


@dataclass(frozen=True)
class Target:
    """Attributes:
    url: of intake.
    keys: channel -> API key; None uses ``only_key`` for every channel.
    mail_url: where the mails can be read, if it is a system of our own.
    """

    url: str
    keys: Mapping[str, str] | None = None
    only_key: str = ""
    mail_url: str | None = None

    @property
    def staff_key(self) -> str | None:
        """The key of a handler's tool, which may judge doubts; None where only a channel's is known."""
        return None if self.keys is None else self.keys.get("staff")

    def key_of(self, channel: str) -> str:
        """
        Raises:
            ConfigurationError: the system has no key for that channel.
        """
        if self.keys is None:
            return self.only_key
        if channel not in self.keys:
            raise ConfigurationError(
                f"the map sends through channel {channel}, which this system does not have; it has "
                + ", ".join(name for name in self.keys if name != "staff")
            )
        return self.keys[channel]


@contextmanager
def own_system(
    home: Path, *, begins_at: datetime, ends_at: datetime, speed: float | None, report: Callable[[str], None]
) -> Iterator[Target]:
    """A system in a home of its own, its business clock standing just before ``begins_at`` when it first serves.

    Args:
        speed: business seconds per real second; None lets the clock stand at ``ends_at`` and run as real time does.
    """
    if begins_at < EARLIEST:
        raise ConfigurationError(
            f"the log begins on {begins_at:%Y-%m-%d}, before the year 2000, which intake refuses; "
            "say begins_at in the map, or --begin, to move it"
        )
    # Downloads are shared with the demo; LocalSystem looks for them below its own home unless told otherwise.
    os.environ.setdefault("PUNCTUAL_PARTS", str(parts_folder()))
    if speed is None:
        system = LocalSystem(home, clock_start=ends_at, ports="auto", report=report)
        system.start()
    else:
        system = _started_in_time(home, begins_at, speed, report)
    try:
        yield Target(system.addresses["intake"], keys=system.keys, mail_url=system.mail_url)
    finally:
        system.stop()


def _started_in_time(home: Path, begins_at: datetime, speed: float, report: Callable[[str], None]) -> LocalSystem:
    """Start; where that took longer than expected, such as with downloads, once more with the time that it took."""
    is_new = not (home / "data").exists()
    allowed = _STARTUP
    while True:
        system = LocalSystem(
            home, clock_speed=speed, clock_start=begins_at - allowed * speed, ports="auto", report=report
        )
        started_at = monotonic()
        system.start()
        took = timedelta(seconds=monotonic() - started_at)
        is_late = system.business_now() > begins_at + _SLACK * speed
        if not (is_new and is_late):
            return system
        system.stop()
        report(f"that took {took.total_seconds():.0f} s, and the log would have begun meanwhile; once more")
        forget(home)
        is_new, allowed = False, took * 1.5 + _STARTUP


def parts_folder() -> Path:
    """Where the demo keeps what it downloaded."""
    settings = load_settings(LocalSettings)
    return (settings.parts or settings.home / "parts").expanduser().absolute()


def replay_home(log_name: str) -> Path:
    """The home of the system that replays this log."""
    return load_settings(LocalSettings).home.expanduser().absolute() / "replay" / _file_name(log_name)


def forget(home: Path) -> None:
    """Delete the data that an earlier replay left.

    Raises:
        ConfigurationError: it is still running.
    """
    folders = Folders(home, parts_folder())
    if not folders.data.is_dir():
        return
    lock = HomeLock(folders)
    lock.take()
    try:
        with readable_errors():
            forget_postgres(folders)
            shutil.rmtree(folders.data)
    finally:
        lock.release()


class Beginnings:
    """Remembers where the log was laid on a running system's time, so that a repeat sends the very same calls."""

    def __init__(self, url: str, log_name: str) -> None:
        name = sha256(f"{url}\0{log_name}".encode()).hexdigest()[:24]
        home = load_settings(LocalSettings).home.expanduser().absolute()
        self._file = home / "replay" / "beginnings" / f"{name}.json"

    def recall(self, now: datetime) -> datetime | None:
        """None if there is none, or it lies in the system's future: then the system is not the one it was."""
        try:
            begins_at = datetime.fromisoformat(json.loads(self._file.read_text())["begins_at"])
        except (OSError, ValueError, KeyError):
            return None
        return begins_at if begins_at <= now else None

    def keep(self, begins_at: datetime, url: str, log_name: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps({"begins_at": begins_at.isoformat(), "url": url, "log": log_name}) + "\n")


def _file_name(text: str) -> str:
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in text).strip(".")[:60]
    return f"{plain}-{sha256(text.encode()).hexdigest()[:6]}" if plain != text or not plain else plain
