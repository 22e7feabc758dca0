"""docker-compose.yml: valid by the specification, and in step with the services, the ports and the secrets script.

No Docker engine is needed, and none runs it here: these tests are all that checks the file.
"""

from __future__ import annotations

import importlib
import json
import re
import runpy
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator  # type: ignore[import-untyped]  # ships no types

from punctual.local.parts.jars import read_lock
from punctual.local.ports import PREFERRED
from shared.encryption import MasterKeys
from shared.http import KeyRing
from shared.settings import PlatformSettings, ServiceSettings

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
CONTAINERS: dict[str, Any] = COMPOSE["services"]
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/settings.py"))

new_secrets = runpy.run_path(str(ROOT / "deploy/docker/new_secrets.py"))


def settings_of(service: str) -> type[ServiceSettings]:
    found: type[ServiceSettings] = importlib.import_module(f"services.{service}.settings").Settings
    return found


def test_the_file_satisfies_the_compose_specification() -> None:
    schema = json.loads(files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_text())

    problems = [f"{list(error.path)}: {error.message}" for error in Draft7Validator(schema).iter_errors(COMPOSE)]

    assert problems == []


def test_every_service_of_ours_has_its_container() -> None:
    ours = {name for name, container in CONTAINERS.items() if "build" in container}

    assert ours == {*SERVICES, "migrate"}
    for service in SERVICES:
        assert CONTAINERS[service]["command"] == ["python", "-m", f"services.{service}"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_the_variables_it_needs_and_none_it_does_not_know(service: str) -> None:
    given = set(CONTAINERS[service]["environment"])
    own = f"PUNCTUAL_{service.upper()}_"
    fields = settings_of(service).model_fields

    known = {f"{own}{name}".upper() for name in fields} | {
        f"PUNCTUAL_{n}".upper() for n in PlatformSettings.model_fields
    }
    required = {f"{own}{name}".upper() for name, field in fields.items() if field.is_required()}

    assert given - known == set()
    assert required - given == set()


def test_a_service_keeps_its_host_name_over_restarts() -> None:
    """It is part of the name under which a process joins its consumer group."""
    assert {name: CONTAINERS[name].get("hostname") for name in SERVICES} == {
        name: name.replace("_", "-") for name in SERVICES
    }


def test_a_service_sees_no_password_but_its_own() -> None:
    for service in SERVICES:
        passwords = {name for name in new_secrets["VARIABLES"] if name in json.dumps(CONTAINERS[service])}
        assert all(name.startswith(service.upper()) for name in passwords), service


def test_the_migration_gets_the_database_of_every_service() -> None:
    given = set(CONTAINERS["migrate"]["environment"])

    assert given >= {f"PUNCTUAL_{service.upper()}_DATABASE_URL" for service in SERVICES}
    assert "PUNCTUAL_ADMIN_DATABASE_URL" in given


@pytest.mark.parametrize("name", [*SERVICES, "migrate"])
def test_a_container_of_ours_may_do_little(name: str) -> None:
    container = CONTAINERS[name]

    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in container


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_what_it_needs(name: str) -> None:
    waits = CONTAINERS[name]["depends_on"]

    assert waits["migrate"]["condition"] == "service_completed_successfully"
    assert waits["kafka"]["condition"] == waits["postgres"]["condition"] == "service_healthy"


def test_what_others_wait_for_to_be_healthy_has_a_health_check() -> None:
    waited_for = {
        name
        for container in CONTAINERS.values()
        for name, wait in container.get("depends_on", {}).items()
        if wait["condition"] == "service_healthy"
    }

    assert [name for name in waited_for if "test" not in CONTAINERS[name].get("healthcheck", {})] == []


def test_every_container_that_stays_has_a_health_check() -> None:
    """Ours have the one of the image."""
    without = [
        name
        for name, container in CONTAINERS.items()
        if name != "migrate" and "build" not in container and "healthcheck" not in container
    ]

    assert without == []
    assert "HEALTHCHECK" in (ROOT / "deploy/docker/Dockerfile").read_text(encoding="utf-8")


def test_ports_are_published_on_the_loopback_address_only() -> None:
    published = [port for container in CONTAINERS.values() for port in container.get("ports", [])]

    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_the_ports_are_those_of_the_local_system() -> None:
    for service in SERVICES:
        assert CONTAINERS[service]["ports"] == [f"127.0.0.1:{PREFERRED[service]}:{PREFERRED[service]}"]
        assert CONTAINERS[service]["environment"][f"PUNCTUAL_{service.upper()}_HTTP_PORT"] == PREFERRED[service]
    assert CONTAINERS["mail"]["ports"] == [f"127.0.0.1:{PREFERRED['mail_web']}:8025"]


def test_kafka_is_the_version_that_the_tests_run_against() -> None:
    assert CONTAINERS["kafka"]["image"] == f"apache/kafka:{read_lock().kafka_version}"


def test_no_image_is_taken_as_it_happens_to_be_today() -> None:
    for name, container in CONTAINERS.items():
        _, _, version = container["image"].partition(":")
        assert version not in {"", "latest"}, name


def test_every_secret_is_made_by_the_script_and_none_has_a_default(tmp_path: Path) -> None:
    """A missing one stops compose with the way to mend it."""
    secret = set(re.findall(r"\$\{(\w+):\?run deploy/docker/new_secrets\.py and pass --env-file\}", TEXT))
    optional = set(re.findall(r"\$\{(\w+):-", TEXT))

    new_secrets["main"](tmp_path)
    made = dict(line.split("=", 1) for line in (tmp_path / "compose.env").read_text().splitlines())

    assert secret == set(made)
    assert set(re.findall(r"\$\{(\w+)", TEXT)) == secret | optional
    assert len(set(made.values())) == len(made)
    assert MasterKeys.parse(made.pop("MASTER_KEYS")).current == "first"
    assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in made.values())


def test_the_script_makes_keys_that_the_services_accept(tmp_path: Path) -> None:
    new_secrets["main"](tmp_path)

    ring = KeyRing.load(tmp_path / "keys.json")
    keys = dict(line.split() for line in (tmp_path / "keys.txt").read_text().splitlines())

    assert {name: ring.authenticate(f"Bearer {key}").role for name, key in keys.items()} == new_secrets["CALLERS"]
    assert [file.name for file in tmp_path.iterdir() if file.stat().st_mode & 0o077] == ["keys.json"]


def test_the_script_leaves_existing_secrets_alone(tmp_path: Path) -> None:
    new_secrets["main"](tmp_path)
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}

    new_secrets["main"](tmp_path)

    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before
