"""Kafka's jars: named with their hashes in ``kafka.lock.json``, fetched by jgo, checked by us.

jgo only warns when a checksum differs, and the checksum it looks at comes from where the jar comes from.
So every file is compared with our own lock before it is used.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from punctual.local.parts.certificates import use_the_certificates_of_pip
from punctual.local.parts.store import Progress, ensure_part
from shared.errors import ConfigurationError

LOCK_FILE = Path(__file__).with_name("kafka.lock.json")

_AT_ONCE = 8  # connections; most jars are small, so the time goes into waiting
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Jar:
    """One line of the lock: ``coordinate`` is ``group:artifact:version``."""

    coordinate: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    def is_intact(self, folder: Path) -> bool:
        """Whether the folder has it, byte for byte."""
        try:
            return hashlib.sha256((folder / self.file_name).read_bytes()).hexdigest() == self.sha256
        except FileNotFoundError:
            return False


@dataclass(frozen=True)
class JarLock:
    """What `relock` wrote."""

    kafka_version: str
    jars: tuple[Jar, ...]
    digest: str

    @property
    def folder_name(self) -> str:
        # The digest, because the same Kafka may come with other libraries in the next lock.
        return f"kafka-{self.kafka_version}-{self.digest[:8]}"


def read_lock(file: Path = LOCK_FILE) -> JarLock:
    text = file.read_text(encoding="utf-8")
    content = json.loads(text)
    return JarLock(
        kafka_version=content["kafka_version"],
        jars=tuple(Jar(**jar) for jar in content["jars"]),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def ensure_jars(parts: Path, progress: Progress, mirror: str | None = None) -> list[Path]:
    """Kafka's jars, downloaded at the first call.

    Raises:
        ConfigurationError: a download failed or a jar is not the one in the lock.
    """
    lock = read_lock()
    folder = ensure_part(parts, lock.folder_name, partial(_download_all, lock, progress, mirror))
    return [folder / jar.file_name for jar in lock.jars]


def _download_all(lock: JarLock, progress: Progress, mirror: str | None, folder: Path) -> None:
    use_the_certificates_of_pip()
    total = sum(jar.size for jar in lock.jars)
    progress.tell(f"downloading Kafka {lock.kafka_version}: {len(lock.jars)} jars, {_megabytes(total)}")
    done, told = 0, 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        jobs = {pool.submit(_download, jar, folder, mirror): jar for jar in lock.jars}
        try:
            for job in as_completed(jobs):
                job.result()
                progress.check()
                done += jobs[job].size
                if done == total or done - told > total / 5:
                    told = done
                    progress.tell(f"downloading Kafka {lock.kafka_version}: {_megabytes(done)} of {_megabytes(total)}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _download(jar: Jar, folder: Path, mirror: str | None) -> None:
    # Imported here because it takes a third of a second and is needed once in a machine's life.
    from jgo.maven import MavenContext
    from requests import RequestException

    cache = folder / f".{jar.file_name}"
    remote = None if mirror is None else {"mirror": mirror.rstrip("/")}
    context = MavenContext(repo_cache=cache, remote_repos=remote, timeout=_TIMEOUT_SECONDS)
    group, artifact, version = jar.coordinate.split(":")
    try:
        fetched = context.project(group, artifact).at_version(version).artifact().resolve()
    except (RequestException, RuntimeError) as error:
        raise ConfigurationError(
            f"{jar.coordinate} could not be downloaded ({type(error).__name__}); "
            "check the network, the proxy variables and REQUESTS_CA_BUNDLE, "
            "or name a mirror with PUNCTUAL_MAVEN_REPOSITORY"
        ) from error
    found = hashlib.sha256(fetched.read_bytes()).hexdigest()
    if found != jar.sha256:
        raise ConfigurationError(f"{jar.coordinate} is not the file in our lock (sha256 {found}); it was not kept")
    fetched.replace(folder / jar.file_name)
    shutil.rmtree(cache)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
