"""A system with nothing but Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from punctual.local.migration import make_topics
from punctual.local.system import LocalSystem


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    home = tmp_path_factory.mktemp("資料 kafka")
    system = LocalSystem(home, ports="auto", services=(), foundations=("kafka",), partitions=1, report=lambda _: None)
    system.start()
    yield system
    system.stop()


def test_topics_are_made_at_the_start_and_only_once(system: LocalSystem) -> None:
    assert make_topics(system.kafka_bootstrap, partitions=1) == []


def test_topics_survive_a_kill_of_the_broker(system: LocalSystem) -> None:
    broker = system.process("kafka")
    broker.kill()
    assert broker.program.ready() is not None
    broker.start()
    broker.wait_until_ready(60)
    assert make_topics(system.kafka_bootstrap, partitions=1) == []


def test_what_kafka_says_goes_to_its_log(system: LocalSystem) -> None:
    assert "Kafka Server started" in (system.folders.logs / "kafka.log").read_text()


def test_the_formatted_storage_is_kept(system: LocalSystem) -> None:
    formatted = (system.folders.kafka / "log" / "meta.properties").read_text()
    system.stop()
    system.start()
    assert (system.folders.kafka / "log" / "meta.properties").read_text() == formatted
    assert Path(system.folders.kafka / "server.properties").exists()
