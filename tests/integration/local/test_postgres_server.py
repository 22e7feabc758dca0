"""A system with nothing but Postgres, which starts in a third of a second: start, stop, kill, lock, place."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import psutil
import pytest

from punctual.local.child import StartFailed
from punctual.local.folders import Folders
from punctual.local.placement import forget_postgres
from punctual.local.system import LocalSystem
from shared.clock import monotonic
from shared.errors import ConfigurationError

MakeSystem = Callable[..., LocalSystem]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One for all tests, because making a database cluster is what takes longest."""
    home = tmp_path_factory.mktemp("system") / "home"
    yield home
    forget_postgres(Folders(home))


@pytest.fixture
def make_system(home: Path) -> Iterator[MakeSystem]:
    made: list[LocalSystem] = []

    def make(home: Path = home, **options: object) -> LocalSystem:
        chosen: dict[str, object] = {
            "ports": "auto",
            "services": (),
            "foundations": ("postgres",),
            "report": lambda _: None,
            **options,
        }
        made.append(LocalSystem(home, **chosen))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for system in made:
        system.stop()


def ask(url: str, question: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    return asyncio.run(run())


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    until = monotonic() + seconds
    while not is_so():
        assert monotonic() < until, "it did not happen in time"


def test_data_are_there_after_a_restart(make_system: MakeSystem) -> None:
    system = make_system()
    system.start()
    ask(system.admin_database_url, "CREATE TABLE kept_over_a_restart AS SELECT 42 AS answer")
    system.stop()
    system.start()
    assert ask(system.admin_database_url, "SELECT answer FROM kept_over_a_restart") == 42


def test_nobody_comes_in_without_the_password(make_system: MakeSystem) -> None:
    system = make_system()
    system.start()
    head, _, tail = system.admin_database_url.rpartition("@")
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(f"{head[:-3]}xyz@{tail}", "SELECT 1")


def test_a_server_that_dies_is_started_again(make_system: MakeSystem) -> None:
    system = make_system()
    system.start()
    server = system.process("postgres")
    first = server.pid
    assert first is not None
    psutil.Process(first).kill()
    wait_until(lambda: server.pid != first and server.is_running and server.program.ready() is None)
    assert ask(system.admin_database_url, "SELECT 1") == 1


def test_a_server_killed_on_purpose_stays_down_until_it_is_started(make_system: MakeSystem) -> None:
    told: list[str] = []
    system = make_system(report=told.append)
    system.start()
    server = system.process("postgres")
    server.kill()
    assert not server.is_running
    server.start()
    server.wait_until_ready(20)
    assert ask(system.admin_database_url, "SELECT 1") == 1
    assert not any("ended with code" in line for line in told)


def test_a_suspended_server_answers_again_when_it_is_resumed(make_system: MakeSystem) -> None:
    system = make_system()
    system.start()
    server = system.process("postgres")
    server.suspend()
    assert server.pid is not None
    wait_until(lambda: psutil.Process(server.pid).status() == psutil.STATUS_STOPPED)
    server.resume()
    assert ask(system.admin_database_url, "SELECT 1") == 1


def test_two_systems_never_share_a_home(make_system: MakeSystem) -> None:
    make_system().start()
    with pytest.raises(
        ConfigurationError, match=rf"already runs in .* \(process {os.getpid()}\); `punctual down` ends"
    ):
        make_system().start()


def test_a_start_that_fails_leaves_nothing_behind(make_system: MakeSystem) -> None:
    system = make_system()
    system.start()
    system.stop()
    port = json.loads(system.folders.run_file.read_text())["ports"]["postgres"]
    data = next(path for path in (system.folders.data / "postgres", *_elsewhere(system)) if path.exists())
    (data / "postgresql.auto.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(
        StartFailed, match=r'(?s)postgres ended with code 1.*unrecognized configuration parameter "no_such'
    ):
        system.start()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    (data / "postgresql.auto.conf").write_text("")
    system.start()


def test_data_of_another_version_are_refused_with_the_way_out(make_system: MakeSystem) -> None:
    system = make_system()
    system.start()
    system.stop()
    data = next(path for path in (system.folders.data / "postgres", *_elsewhere(system)) if path.exists())
    version = (data / "PG_VERSION").read_text()
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(ConfigurationError, match=r"written by Postgres 9, but .* set PUNCTUAL_POSTGRES_BIN"):
        system.start()
    (data / "PG_VERSION").write_text(version)


def test_business_time_stops_with_the_system_and_goes_on_with_it(make_system: MakeSystem, home: Path) -> None:
    (home / "data" / "clock.json").unlink(missing_ok=True)
    start = datetime(2026, 3, 2, 1, tzinfo=UTC)
    system = make_system(clock_speed=3600.0, clock_start=start)
    system.start()
    seen = system.business_now()
    assert seen > start
    system.stop()
    stopped_at = datetime.fromisoformat(json.loads(system.folders.clock_file.read_text())["reached_at"])
    assert stopped_at >= seen

    again = make_system(clock_speed=60.0, clock_start=start)
    again.start()
    assert again.business_now() >= stopped_at
    assert json.loads(again.folders.clock_file.read_text())["start"] == stopped_at.isoformat()


def test_children_end_with_a_killed_supervisor_and_the_next_start_has_the_data(
    make_system: MakeSystem, home: Path
) -> None:
    program = (
        "import sys, time, pathlib; from punctual.local.system import LocalSystem\n"
        "system = LocalSystem(pathlib.Path(sys.argv[1]), ports='auto', services=(), foundations=('postgres',),\n"
        "                     clock_speed=3600.0, report=lambda _: None)\n"
        "system.start(); print(system.process('postgres').pid, system.admin_database_url, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pid, url = supervisor.stdout.readline().split()
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        supervisor.kill()
    wait_until(lambda: not psutil.pid_exists(int(pid)))

    system = make_system()
    system.start()
    assert system.admin_database_url == url, "addresses are kept"
    assert ask(url, "SELECT answer FROM kept") == 42


def test_what_a_killed_supervisor_left_behind_is_ended_first(make_system: MakeSystem) -> None:
    told: list[str] = []
    system = make_system(report=told.append)
    system.start()
    system.stop()
    with subprocess.Popen(["sleep", "600"]) as left_over:
        record = json.loads(system.folders.run_file.read_text())
        started = psutil.Process(left_over.pid).create_time()
        record["processes"] = {"intake": {"pid": left_over.pid, "started": started}}
        system.folders.run_file.write_text(json.dumps(record))
        system.start()
        assert not psutil.pid_exists(left_over.pid)
    assert "ending what a killed run left behind: intake" in told


def test_another_process_with_a_recorded_number_is_left_alone(make_system: MakeSystem) -> None:
    system = make_system()
    system.start()
    system.stop()
    with subprocess.Popen(["sleep", "600"]) as innocent:
        record = json.loads(system.folders.run_file.read_text())
        record["processes"] = {"intake": {"pid": innocent.pid, "started": 1.0}}
        system.folders.run_file.write_text(json.dumps(record))
        system.start()
        assert innocent.poll() is None
        innocent.kill()


def test_a_taken_port_does_not_stop_the_start(make_system: MakeSystem) -> None:
    system = make_system()
    system.start()
    system.stop()
    port = json.loads(system.folders.run_file.read_text())["ports"]["postgres"]
    with socket.create_server(("127.0.0.1", port)):
        system.start()
        assert f":{port}/" not in system.admin_database_url
        assert ask(system.admin_database_url, "SELECT 1") == 1


def test_a_home_that_cannot_be_made_is_one_readable_line(make_system: MakeSystem, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="file/home: Not a directory"):
        make_system(tmp_path / "file" / "home").start()


def test_a_home_may_have_any_name(make_system: MakeSystem, tmp_path: Path) -> None:
    system = make_system(tmp_path / "資料 夾")
    system.start()
    assert ask(system.admin_database_url, "SELECT 1") == 1


def _elsewhere(system: LocalSystem) -> list[Path]:
    """Where the data of a closed home lie when we are root."""
    return [Path("/var/lib/punctual") / system.folders.home_id / "postgres"]
