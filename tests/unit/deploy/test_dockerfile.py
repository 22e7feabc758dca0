"""The image: what is copied exists, what runs in it is not root, and its health check works."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "deploy/docker/Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / "deploy/docker/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()

healthcheck = runpy.run_path(str(ROOT / "deploy/docker/healthcheck.py"))


def copied() -> list[str]:
    return list(re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE))


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    assert copied()
    for source in copied():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in IGNORED, f"{source} is left out of the build context"


def test_nothing_else_reaches_the_builder() -> None:
    assert "*" in IGNORED
    assert {line[1:] for line in IGNORED if line.startswith("!")} == set(copied())


def test_it_is_built_in_two_stages_and_the_last_one_is_not_root() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]

    assert len(stages) == 2
    assert re.search(r"^USER (?!0|root)\d+:\d+$", stages[-1], re.MULTILINE)
    assert "pip install" not in stages[-1]


def test_dependencies_are_installed_by_the_lock_with_hashes() -> None:
    installs = re.findall(r"pip install .*", DOCKERFILE)

    assert installs == ["pip install --require-hashes --requirement requirements.lock"]
    requirements = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8").strip())
    assert [text for text in requirements if "==" in text and "--hash=sha256:" not in text] == []


def test_base_images_have_a_version() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)

    assert all(":" in base and not base.endswith(":latest") for base in bases)
    assert len(set(bases)) == 1, "built and run on the same Python"


def test_the_health_check_asks_the_port_of_the_one_service_that_is_configured() -> None:
    assert healthcheck["address"]({"PUNCTUAL_NOTIFIER_HTTP_PORT": "8803", "PATH": "/bin"}) == (
        "http://127.0.0.1:8803/readyz"
    )


@pytest.mark.parametrize("ports", [{}, {"PUNCTUAL_INTAKE_HTTP_PORT": "1", "PUNCTUAL_NOTIFIER_HTTP_PORT": "2"}])
def test_the_health_check_refuses_to_guess(ports: dict[str, str]) -> None:
    with pytest.raises(SystemExit):
        healthcheck["address"](ports)
