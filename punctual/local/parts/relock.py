"""Writes ``kafka.lock.json`` anew: ``python -m punctual.local.parts.relock [KAFKA_VERSION]`` (part of `make lock`)."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

from punctual.local.parts.certificates import use_the_certificates_of_pip
from punctual.local.parts.jars import LOCK_FILE, read_lock

_KAFKA = "org.apache.kafka:kafka_2.13"
# Kafka speaks to slf4j 1.7 and brings no provider; without one it logs nothing. This one needs no configuration file.
_LOG_PROVIDER = "org.slf4j:slf4j-simple:1.7.36"


def main(arguments: list[str]) -> None:
    version = arguments[0] if arguments else read_lock().kafka_version
    use_the_certificates_of_pip()
    with tempfile.TemporaryDirectory() as cache:
        context = MavenContext(repo_cache=Path(cache))
        wanted = [context.create_dependency(name) for name in (f"{_KAFKA}:{version}", _LOG_PROVIDER)]
        given, transitive = context.resolver.resolve(wanted)
        jars = []
        for dependency in [*given, *transitive]:
            artifact = dependency.artifact
            content = artifact.resolve().read_bytes()
            jars.append(
                {
                    "coordinate": f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}",
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                }
            )
    jars.sort(key=lambda jar: str(jar["coordinate"]))
    LOCK_FILE.write_text(json.dumps({"kafka_version": version, "jars": jars}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
