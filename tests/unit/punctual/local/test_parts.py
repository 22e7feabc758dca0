"""Locks of the downloaded parts, and how a part appears in its folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from punctual.local.parts import jars, java, wheels
from punctual.local.parts.store import ensure_part
from shared.errors import ConfigurationError

PARTS = Path(jars.__file__).parent


def test_every_jar_of_the_lock_has_a_hash_and_a_file_name_of_its_own() -> None:
    lock = jars.read_lock()
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in lock.jars)
    assert len({jar.file_name for jar in lock.jars}) == len(lock.jars)


def test_the_lock_has_kafka_and_a_log_provider() -> None:
    lock = jars.read_lock()
    coordinates = {jar.coordinate for jar in lock.jars}
    assert f"org.apache.kafka:kafka_2.13:{lock.kafka_version}" in coordinates
    assert any(":slf4j-simple:" in coordinate for coordinate in coordinates)


@pytest.mark.parametrize("name", ["java.lock", "postgres.lock"])
def test_a_wheel_is_pinned_with_hashes_for_several_platforms(name: str) -> None:
    text = (PARTS / name).read_text()
    assert re.fullmatch(r"[a-z0-9-]+-\d[\d.]*", wheels.pinned(PARTS / name))
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", text)) >= 4


def test_no_lock_names_a_host() -> None:
    for file in PARTS.glob("*.lock*"):
        assert "//" not in file.read_text(), file


def test_a_changed_jar_is_found(tmp_path: Path) -> None:
    jar = jars.Jar("group:thing:1.0", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", 5)
    (tmp_path / "thing-1.0.jar").write_text("hello")
    assert jar.is_intact(tmp_path)
    (tmp_path / "thing-1.0.jar").write_text("hallo")
    assert not jar.is_intact(tmp_path)
    (tmp_path / "thing-1.0.jar").unlink()
    assert not jar.is_intact(tmp_path)


def test_an_interrupted_part_never_appears_and_is_built_anew(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise ConfigurationError("the network went away")

    with pytest.raises(ConfigurationError, match="network"):
        ensure_part(tmp_path, "thing", fail)
    assert not (tmp_path / "thing").exists()
    (tmp_path / ".thing.left-by-a-kill").mkdir()

    part = ensure_part(tmp_path, "thing", lambda folder: (folder / "whole").touch())
    assert [file.name for file in part.iterdir()] == ["whole"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [".lock-thing", "thing"]


def test_a_part_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    ensure_part(tmp_path, "thing", lambda folder: (folder / "whole").touch())
    built: list[Path] = []
    ensure_part(tmp_path, "thing", built.append)
    assert built == []


def test_a_part_can_be_read_by_other_accounts_whatever_the_umask(tmp_path: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "bin").mkdir(mode=0o700)
        (folder / "bin" / "program").touch(mode=0o700)
        (folder / "bin" / "text").touch(mode=0o600)

    part = ensure_part(tmp_path, "thing", build)
    assert {path.name: path.stat().st_mode & 0o777 for path in part.rglob("*")} == {
        "bin": 0o755,
        "program": 0o755,
        "text": 0o644,
    }


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "25.0.2" 2026-01-20 LTS', 25),
        ('openjdk version "21" 2023-09-19', 21),
        ('openjdk version "22-ea" 2024-03-19', 22),
        ('java version "1.8.0_202"', 8),
        ("command not found", None),
    ],
)
def test_the_version_of_a_java_is_read(text: str, version: int | None) -> None:
    assert java.parse_version(text) == version


def test_a_java_that_is_named_must_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"PUNCTUAL_JAVA_HOME.*no working java"):
        java.find_java(str(tmp_path))


def test_the_downloaded_java_can_be_insisted_on() -> None:
    assert java.find_java(java.WHEEL) is None
