"""Hypothesis strategies for every payload and for events that carry them."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_origin
from uuid import UUID

from hypothesis import strategies as st
from pydantic import AwareDatetime

from shared.contracts.contacts import Base64
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.topics import PAYLOAD_BY_TYPE

codes = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}", fullmatch=True)
instants = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  st adds it
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
encrypted = st.binary(min_size=1, max_size=60).map(lambda raw: b64encode(raw).decode())
names = st.text(min_size=1, max_size=60).filter(str.isprintable)
words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of a payload field's type."""
    if annotation == Base64:
        return encrypted
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(
        annotation, "__metadata__"
    ):  # Code, ShortText, Instant and Count, the constrained types of the contracts
        return {AwareDatetime: instants, int: st.integers(1, 2**31 - 1)}.get(arguments[0], codes)
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=4).map(tuple)
    if origin is dict:
        return st.dictionaries(values_of(arguments[0]), values_of(arguments[1]), max_size=4)
    if arguments:  # a union
        return st.one_of([values_of(argument) for argument in arguments])
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return st.sampled_from(annotation)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: texts,
        int: st.integers(-(2**53), 2**53),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        UUID: st.uuids(),
        NoneType: st.none(),
    }
    return simple[annotation]


def payloads_of(model: type[Payload]) -> st.SearchStrategy[Payload]:
    fields = {name: values_of(info.rebuild_annotation()) for name, info in model.model_fields.items()}
    return st.fixed_dictionaries(fields).map(lambda data: model(**data))


any_payload = st.sampled_from([payloads_of(model) for _, model in sorted(PAYLOAD_BY_TYPE.items())]).flatmap(
    lambda payloads: payloads
)

any_event: st.SearchStrategy[Event[Payload]] = st.builds(
    Event,
    id=st.uuids(),
    source=st.sampled_from(["/punctual/intake", "/punctual/sla_timer"]),
    subject=st.uuids(),
    sequence=st.integers(1, 2**40),
    occurred_at=instants,
    recorded_at=instants,
    correlation_id=words,
    traceparent=st.from_regex(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", fullmatch=True),
    data=any_payload,
    author=st.none() | names,
    cause=st.none() | words,
)
