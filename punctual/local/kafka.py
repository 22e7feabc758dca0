"""A real Kafka broker as a child: KRaft, one node that is broker and controller."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from punctual.local.folders import readable_errors, write_whole
from punctual.local.ports import HOST
from punctual.local.program import Program, cause, kafka_ready
from shared.errors import ConfigurationError

_SMALL_JVM = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",  # 345 MB resident instead of about 500; the heap is small
    "-XX:+ExitOnOutOfMemoryError",  # the supervisor restarts it, half alive is worse
    "-Djava.awt.headless=true",
)

_LOGGING = (
    "-Dorg.slf4j.simpleLogger.logFile=System.out",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)

_LOCALE: Mapping[str, str] = {
    "LC_ALL": "C.UTF-8"
}  # else Java cannot open paths beyond ASCII on a machine without locale

_PROPERTIES: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    # Topics and their settings are code; a mistyped name must fail.
    "auto.create.topics.enable": "false",
    # A killed broker is let back in when its old session has ended: 3 s instead of 9 s brings it back in 9 s, not 16 s.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Members come one by one here; waiting for more of them only delays the first.
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "8",  # 50 would make 50 folders for a handful of groups
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # One copy only: a second is what a power failure may cost. A cluster relies on its replicas instead.
    "log.flush.interval.ms": "1000",
    "log.flush.scheduler.interval.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "16777216",  # the default takes a quarter of our heap
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
}


class KafkaBroker:
    """One data folder and the program that serves it.

    Args:
        java: the ``java`` program, 17 or newer.
        jars: Kafka's jars.
        folder: the data folder.
        options: broker properties on top of ours.
    """

    def __init__(
        self,
        *,
        java: Path,
        jars: Sequence[Path],
        folder: Path,
        port: int,
        controller_port: int,
        log: Path,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._java = java
        self._jars = jars
        self._class_path = ":".join(str(jar) for jar in jars)
        self._folder = folder
        self._port = port
        self._controller_port = controller_port
        self._log = log
        self._options = options or {}

    def prepare(self) -> None:
        """Write the properties, and format the storage when there is none.

        Raises:
            ConfigurationError: Kafka's storage tool failed, or the disk is full.
        """
        if any(":" in jar.as_posix() for jar in self._jars):
            raise ConfigurationError(
                f"{self._jars[0].parent} has a colon in its name, which Java cannot handle; set PUNCTUAL_PARTS"
            )
        with readable_errors():
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._properties_file, "".join(f"{key}={value}\n" for key, value in self._properties().items()))
            if not (self._storage / "meta.properties").exists():
                self._format()

    def program(self) -> Program:
        return Program(
            name="kafka",
            command=(
                str(self._java),
                *_SMALL_JVM,
                *_LOGGING,
                "-cp",
                self._class_path,
                "kafka.Kafka",
                str(self._properties_file),
            ),
            log=self._log,
            folder=self._folder,
            env=_LOCALE,
            ready=partial(kafka_ready, self._port),
        )

    @property
    def _properties_file(self) -> Path:
        return self._folder / "server.properties"

    @property
    def _storage(self) -> Path:
        return self._folder / "log"

    def _properties(self) -> dict[str, str]:
        return {
            **_PROPERTIES,
            "listeners": f"PLAINTEXT://{HOST}:{self._port},CONTROLLER://{HOST}:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{self._port}",
            "controller.quorum.voters": f"1@{HOST}:{self._controller_port}",
            # Relative to the folder the broker runs in: a properties file cannot hold every path (commas, Chinese).
            "log.dirs": self._storage.name,
            **self._options,
        }

    def _format(self) -> None:
        # Never a leading dash, which the tool would take for an option.
        cluster_id = "P" + base64.urlsafe_b64encode(secrets.token_bytes(16)).decode()[1:22]
        command = [
            str(self._java),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # runs for a second; optimising it takes longer than it saves
            *_LOGGING,
            "-cp",
            self._class_path,
            "kafka.tools.StorageTool",
            "format",
            "--cluster-id",
            cluster_id,
            "--config",
            str(self._properties_file),
        ]
        environment = {**os.environ, **_LOCALE}
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self._folder, env=environment)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode != 0:
            what = cause(done.stderr or done.stdout)
            raise ConfigurationError(f"Kafka's storage could not be formatted: {what}; all of it is in {self._log}")
