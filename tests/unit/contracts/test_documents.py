"""The committed schemas and the AsyncAPI document: in step with the code, additive, readable by others."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft7Validator, Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from punctual.commands.contracts import generated_files, out_of_step
from shared.contracts.compatibility import refusals
from shared.contracts.documents import asyncapi_document, payload_schema, payload_schemas
from shared.contracts.topics import PAYLOAD_BY_TYPE, TOPICS
from shared.kafka.topics import topic_settings

ROOT = Path(__file__).parents[3]
DOCUMENTS = ROOT / "docs" / "api"


def test_the_committed_documents_are_what_the_code_says() -> None:
    assert out_of_step(DOCUMENTS, generated_files()) == [], "run: punctual contracts write"


def test_no_document_is_left_over() -> None:
    known = {
        f"{model.TYPE}.v{version}" for model in PAYLOAD_BY_TYPE.values() for version in range(1, model.VERSION + 1)
    }

    assert {path.name.removesuffix(".json") for path in (DOCUMENTS / "schemas").iterdir()} <= known


def test_every_schema_that_was_ever_committed_is_still_honoured() -> None:
    """Compares with history, so that rewriting the committed file does not hide a change that is not additive."""
    wanted = payload_schemas()
    for committed in _committed_schemas():
        assert refusals(committed, wanted) == (), "not additive: raise the payload's VERSION"


def _committed_schemas() -> Iterator[dict[str, Any]]:
    """The schemas of each commit that touched them; none outside a git checkout, such as in a source archive."""
    if not (ROOT / ".git").exists():
        return
    for commit in _git("log", "--format=%H", "--", "docs/api/schemas").split():
        names = _git("ls-tree", "--name-only", f"{commit}:docs/api/schemas").split()
        yield {
            name.removesuffix(".json"): json.loads(_git("show", f"{commit}:docs/api/schemas/{name}")) for name in names
        }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


@pytest.mark.parametrize("event_type", sorted(PAYLOAD_BY_TYPE))
def test_each_schema_is_valid_and_complete_in_itself(event_type: str) -> None:
    schema = payload_schema(PAYLOAD_BY_TYPE[event_type])

    Draft202012Validator.check_schema(schema)
    assert all(reference.startswith("#/$defs/") for reference in _references(schema))
    assert _unresolved(schema) == []


def test_an_independent_reader_accepts_the_asyncapi_document() -> None:
    read = ApplicationSchema.model_validate(json.loads((DOCUMENTS / "asyncapi.json").read_text(encoding="utf-8")))

    assert read.asyncapi == "3.0.0"
    assert {channel.address for channel in read.channels.values()} == {topic.name for topic in TOPICS}
    assert read.components is not None
    assert set(read.components.messages or {}) == set(PAYLOAD_BY_TYPE)
    assert len(read.operations) == len(TOPICS)


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    assert _unresolved(asyncapi_document()) == []


def test_the_asyncapi_schemas_keep_to_what_its_readers_know() -> None:
    """AsyncAPI's own schema format is a superset of draft 7."""
    schemas = asyncapi_document()["components"]["schemas"]

    for name, schema in schemas.items():
        Draft7Validator.check_schema(schema)
        assert "prefixItems" not in json.dumps(schema), name


def test_a_channel_tells_the_settings_its_topic_is_created_with() -> None:
    channels = {channel["address"]: channel for channel in asyncapi_document()["channels"].values()}

    for topic in TOPICS:
        told = channels[topic.name]["bindings"]["kafka"]["topicConfiguration"]
        made = topic_settings(topic, replication=1)
        assert ",".join(told["cleanup.policy"]) == made["cleanup.policy"]
        assert str(told["retention.ms"]) == made["retention.ms"]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _unresolved(document: dict[str, Any]) -> list[str]:
    missing = []
    for reference in _references(document):
        node: Any = document
        for step in reference.removeprefix("#/").split("/"):
            node = node.get(step) if isinstance(node, dict) else None
        if node is None:
            missing.append(reference)
    return missing
