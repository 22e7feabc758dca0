"""The commands of docs/howto/back-up-and-restore.md, on a server whose data are destroyed while requests come in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from punctual.local.folders import Folders
from punctual.local.parts.postgres_binaries import ensure_binaries
from punctual.local.parts.store import Progress
from punctual.local.placement import Placement, forget_postgres, place_postgres
from punctual.local.settings import LocalSettings
from punctual.local.system import LocalSystem
from shared.contracts.topics import REQUESTS
from shared.ids import new_id
from shared.settings import load_settings
from tests.acceptance.evidence import log_of, rows_of
from tests.acceptance.journal import submission
from tests.acceptance.waiting import wait_until

PAGE = Path(__file__).parents[2] / "docs/howto/back-up-and-restore.md"
COMMANDS = re.findall(r"^```sh\n(.*?)```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
FOLLOWING = "SELECT 1 FROM pg_stat_replication WHERE application_name = 'punctual_backup' AND sync_state = $1"


@dataclass
class Shell:
    """Runs what the page says, as the account that Postgres runs as."""

    placement: Placement
    environment: Mapping[str, str]
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, commands: str) -> None:
        done = subprocess.run(["bash", "-ec", commands], capture_output=True, text=True, check=False, **self._as())
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, command: str) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = subprocess.Popen(["bash", "-ec", f"exec {command}"], **self._as())
        self.started.append(process)
        return process

    def _as(self) -> dict[str, Any]:
        account = self.placement.account
        who = {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
        return {"env": self.environment, "cwd": "/", **who}


class Sender(threading.Thread):
    """Submits one request after the other until one gets no good answer.

    Attributes:
        accepted: the answers with 201.
        refused: the status of the answer that ended it; None when none came.
        open_call: key and body of the one that it does not know about.
    """

    def __init__(self, system: LocalSystem) -> None:
        super().__init__()
        self._system = system
        self.accepted: list[dict[str, str]] = []
        self.refused: int | None = None
        self.open_call: tuple[str, dict[str, Any]] = ("", {})

    def run(self) -> None:
        while self._submit(new_id().hex):
            pass

    def _submit(self, number: str) -> bool:
        body = submission()
        self.open_call = number, {**body, "customer": {**body["customer"], "id": number}}
        return self.is_accepted()

    def is_accepted(self) -> bool:
        """Whether the open call is accepted, sent as it is."""
        answer = post(self._system, *self.open_call)
        if answer is not None and answer.status_code == 201:
            self.accepted.append(answer.json())
            return True
        self.refused = None if answer is None else answer.status_code
        return False


def post(system: LocalSystem, key: str, body: dict[str, Any]) -> httpx.Response | None:
    """None when nothing came back."""
    headers = {"Authorization": f"Bearer {system.keys['app']}", "Idempotency-Key": key}
    try:
        return httpx.post(f"{system.addresses['intake']}/v1/requests", json=body, headers=headers, timeout=5)
    except httpx.TransportError:
        return None


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LocalSystem]:
    system = LocalSystem(
        tmp_path / "home",
        ports="auto",
        services=("intake",),
        foundations=("postgres", "kafka"),
        partitions=4,
        extra_env={"PUNCTUAL_INTAKE_CALL_PATIENCE_SECONDS": "2"},
        report=lambda _: None,
    )
    system.start()
    try:
        yield system
    finally:
        system.stop()
        forget_postgres(system.folders)


@pytest.fixture
def shell(system: LocalSystem) -> Iterator[Shell]:
    placement = _placement(system.folders)
    backup = placement.data.with_name("backup")
    backup.mkdir()
    if placement.account is not None:
        os.chown(backup, placement.account.uid, placement.account.gid)
    admin = urlsplit(system.admin_database_url)
    environment = {
        "PATH": f"{placement.binaries}:{os.environ['PATH']}",
        "LC_ALL": "C",
        "PGHOST": str(admin.hostname),
        "PGPORT": str(admin.port),
        "PGUSER": str(admin.username),
        "PGPASSWORD": str(admin.password),
        "PGDATA": str(placement.data),
        "BACKUP": str(backup),
    }
    shell = Shell(placement, environment)
    try:
        yield shell
    finally:
        for process in shell.started:
            process.kill()
            process.wait()


def _destroy(folder: Path) -> None:
    """All that is in it."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _placement(folders: Folders) -> Placement:
    settings = load_settings(LocalSettings)
    binaries = ensure_binaries(folders.parts, settings.postgres_bin, Progress(lambda _: None))
    return place_postgres(folders, binaries, settings.postgres_account)


def test_what_was_accepted_is_there_after_the_disk_of_postgres_is_lost(system: LocalSystem, shell: Shell) -> None:
    make_slot, follow, wait_for_it, take_base, restore, after = COMMANDS
    reset, verify = after.splitlines()
    shell.run(make_slot)
    archive = shell.start(follow)
    wait_until(lambda: bool(rows_of(system, FOLLOWING, "async")), 20, "the archive to follow")
    shell.run(wait_for_it)
    wait_until(lambda: bool(rows_of(system, FOLLOWING, "sync")), 20, "commits to wait for the archive")
    archive.terminate()
    archive.wait(20)
    away = Sender(system)
    away.run()  # until it is told to come again
    assert (away.accepted, away.refused) == ([], 503)
    archive = shell.start(follow)
    wait_until(away.is_accepted, 30, "what was taken in while the archive was away")
    shell.run(take_base)

    senders = [Sender(system) for _ in range(4)]
    for sender in senders:
        sender.start()
    wait_until(lambda: sum(len(sender.accepted) for sender in senders) > 40, 30, "requests after the base was taken")
    system.process("postgres").kill()
    _destroy(shell.placement.data)
    for sender in senders:
        sender.join()
    system.stop()
    archive.terminate()
    archive.wait(20)
    shell.run(restore)
    system.start()
    shell.run(reset)

    stored = {row["reference"] for row in rows_of(system, "SELECT reference FROM intake.request")}
    assert {view["reference"] for sender in senders for view in sender.accepted} - stored == set()
    for sender in senders:
        wait_until(sender.is_accepted, 30, "an answer to what was under way")
    senders.append(away)
    accepted = {view["reference"]: UUID(view["id"]) for sender in senders for view in sender.accepted}
    assert rows_of(system, "SELECT count(*) AS requests FROM intake.request") == [{"requests": len(accepted)}]
    verified = subprocess.run(
        [sys.executable, "-m", "punctual.cli", *verify.split()[1:]],
        env={
            **os.environ,
            "PUNCTUAL_INTAKE_URL": system.addresses["intake"],
            "PUNCTUAL_STAFF_KEY": system.keys["staff"],
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{len(accepted)} requests" in verified.stdout, verified.stdout + verified.stderr
    assert "0 do not hold" in verified.stdout

    def told() -> Counter[UUID]:
        return Counter(event.subject for event in log_of(system, REQUESTS) if event.sequence == 1)

    wait_until(lambda: told() == Counter(accepted.values()), 30, "each to be told once")
