"""The contracts as documents others can read: a JSON Schema per payload version, one AsyncAPI 3.0 document of all.

Everything is derived from the payload models and the topics; nothing is said twice.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from shared.contracts.payload import Payload
from shared.contracts.topics import PAYLOAD_BY_TYPE, TOPICS, Topic

JsonObject = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SCHEMA_FORMAT = "application/vnd.aai.asyncapi;version=3.0.0"


def payload_schemas() -> dict[str, JsonObject]:
    """Event type with its version (``punctual.request.submitted.v1``) to its JSON Schema, as a reader validates it."""
    return {event_type: payload_schema(model) for event_type, model in PAYLOAD_BY_TYPE.items()}


def payload_schema(model: type[Payload]) -> JsonObject:
    """The schema of one payload, complete in itself."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:punctual:schema:{model.event_type()}",
        **model.model_json_schema(mode="validation"),
    }


def asyncapi_document() -> JsonObject:
    """All topics: what may be on them, how they are keyed, what the headers say."""
    models = tuple(PAYLOAD_BY_TYPE.values())
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Punctual events",
            "version": "1",
            "description": (
                "CloudEvents 1.0 over Kafka in binary mode. Types are in the past tense and end in their version; "
                "a change is additive or makes a new version. Readers ignore fields they do not know."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_channel_id(topic): _channel(topic) for topic in TOPICS},
        "operations": {f"read_{_channel_id(topic)}": _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {model.event_type(): _message(topic, model) for topic in TOPICS for model in topic.payloads},
            "schemas": {**schemas["$defs"], "CloudEventHeaders": _headers()},
        },
    }


def _channel_id(topic: Topic) -> str:
    return topic.name.removeprefix("punctual.")


def _channel(topic: Topic) -> JsonObject:
    keep_for = -1 if topic.retention is None else int(topic.retention.total_seconds() * 1000)
    return {
        "address": topic.name,
        "description": topic.summary,
        "messages": {
            model.event_type(): {"$ref": f"#/components/messages/{model.event_type()}"} for model in topic.payloads
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if topic.is_compacted else "delete"],
                    "retention.ms": keep_for,
                },
                "bindingVersion": "0.5.0",
            }
        },
        "x-has-personal-data": topic.has_personal_data,
    }


def _operation(topic: Topic) -> JsonObject:
    channel = f"#/channels/{_channel_id(topic)}"
    return {
        "action": "receive",
        "channel": {"$ref": channel},
        "summary": f"Read {topic.name}.",
        "messages": [{"$ref": f"{channel}/messages/{model.event_type()}"} for model in topic.payloads],
    }


def _message(topic: Topic, model: type[Payload]) -> JsonObject:
    return {
        "name": model.event_type(),
        "title": model.__name__,
        "summary": _first_line(model) or f"Version {model.VERSION} of {model.TYPE}.",
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/CloudEventHeaders"},
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"#/components/schemas/{model.__name__}"}},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": f"The {topic.keyed_by}."}, "bindingVersion": "0.5.0"}
        },
    }


def _first_line(model: type[Payload]) -> str:
    return (vars(model).get("__doc__") or "").strip().split("\n")[0]


def _headers() -> JsonObject:
    """What ``envelope.encode`` writes; a test compares the two."""
    texts = {
        "content-type": "Always application/json.",
        "ce_specversion": "Always 1.0.",
        "ce_id": "Unique per source.",
        "ce_source": "/punctual/ and the name of the service.",
        "ce_type": "The message's name: type and version.",
        "ce_subject": "What the sequence counts; equals the key.",
        "ce_time": "When it became true, RFC 3339, business time.",
        "ce_sequence": "1, 2, 3, ... per source and subject, without holes.",
        "ce_recordedat": "When the source wrote it down, RFC 3339, business time.",
        "ce_correlationid": "Runs from the HTTP request to the last consequence.",
        "ce_traceparent": "W3C trace context.",
        "traceparent": "The same, for tools that look here.",
    }
    optional = {
        "ce_author": "Who wrote it: a channel system, a member of staff, automation, customer. Of requests, always.",
        "ce_cause": "What made it happen: call, entry:7 of the same history, rule:<name>. Of requests, always.",
    }
    return {
        "type": "object",
        "required": list(texts),
        "properties": {name: {"type": "string", "description": text} for name, text in {**texts, **optional}.items()},
    }
