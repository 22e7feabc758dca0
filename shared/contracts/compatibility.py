"""Is a changed schema still the same version? Only additions are.

Events stay on Kafka for good, so new readers meet old events; services are upgraded one after another, so old readers
meet new events. What both survive: a new optional field, and a new value of an enumeration (readers are upgraded
first). All else is a new version of the type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

JsonObject = dict[str, Any]

_PROSE = frozenset({"$id", "$schema", "$defs", "title", "description", "examples"})
_BELOW = ("items", "additionalProperties")
_COMPARED_APART = frozenset({"properties", "required", "enum", "anyOf", "patternProperties", *_BELOW})


def incompatibilities(old: JsonObject, new: JsonObject) -> tuple[str, ...]:
    """Why ``new`` may not replace ``old`` under the same version; empty when it may. Each names the field."""
    return tuple(_Comparison(old, new).node("", old, new))


def refusals(committed: Mapping[str, JsonObject], present: Mapping[str, JsonObject]) -> tuple[str, ...]:
    """What stands against replacing the committed schemas (type with version to schema) by the present ones.

    A version that is no longer the newest of its type stays committed as it was: its events are still on Kafka.
    """
    newest = {_name(event_type): _version(event_type) for event_type in present}
    found: list[str] = []
    for event_type, schema in sorted(committed.items()):
        if event_type in present:
            found += [f"{event_type}: {problem}" for problem in incompatibilities(schema, present[event_type])]
        elif newest.get(_name(event_type), 0) < _version(event_type):
            found.append(f"{event_type}: gone from the contracts, though its events stay on Kafka")
    return tuple(found)


def _name(event_type: str) -> str:
    return event_type.rpartition(".v")[0]


def _version(event_type: str) -> int:
    return int(event_type.rpartition(".v")[2])


class _Comparison:
    """Two documents and the pairs of definitions being compared right now, so that recursive schemas end."""

    def __init__(self, old: JsonObject, new: JsonObject) -> None:
        self._old = old
        self._new = new
        self._open: set[tuple[str, str]] = set()

    def node(self, path: str, old: Any, new: Any) -> Iterator[str]:
        if not (isinstance(old, dict) and isinstance(new, dict)):
            if old != new:
                yield f"{path or 'the document'}: changed from {old!r} to {new!r}"
            return
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair) and pair in self._open:
            return
        self._open.add(pair)
        yield from self._both(path, _resolved(old, self._old), _resolved(new, self._new))
        self._open.discard(pair)

    def _both(self, path: str, old: JsonObject, new: JsonObject) -> Iterator[str]:
        yield from self._keywords(path, old, new)
        yield from self._fields(path, old, new)
        yield from self._values(path, old, new)
        yield from self._alternatives(path, old, new)
        for keyword in _BELOW:
            yield from self.node(f"{path}[]", old.get(keyword, True), new.get(keyword, True))
        yield from self.node(f"{path}{{}}", *_patterns(old, new))

    def _keywords(self, path: str, old: JsonObject, new: JsonObject) -> Iterator[str]:
        """Type, format, pattern, limits, default: narrower breaks new readers of old events, wider the reverse."""
        for keyword in sorted((old.keys() | new.keys()) - _PROSE - _COMPARED_APART):
            if old.get(keyword) != new.get(keyword):
                yield (f"{path or 'the document'}: {keyword} changed from {old.get(keyword)!r} to {new.get(keyword)!r}")

    def _fields(self, path: str, old: JsonObject, new: JsonObject) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before:
            if name not in after:
                yield f"{_join(path, name)}: removed"
            else:
                yield from self.node(_join(path, name), before[name], after[name])
        must_before, must_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(must_after - must_before):
            yield f"{_join(path, name)}: newly required"
        for name in sorted((must_before - must_after) & set(after)):
            yield f"{_join(path, name)}: no longer required, though readers count on it"

    def _values(self, path: str, old: JsonObject, new: JsonObject) -> Iterator[str]:
        if ("enum" in old) != ("enum" in new):
            yield f"{path}: became {'an enumeration' if 'enum' in new else 'free'}"
            return
        for value in old.get("enum", ()):
            if value not in new.get("enum", ()):
                yield f"{path}: value {value!r} removed"

    def _alternatives(self, path: str, old: JsonObject, new: JsonObject) -> Iterator[str]:
        before, after = old.get("anyOf", []), new.get("anyOf", [])
        if len(before) != len(after):
            yield f"{path}: {len(before)} alternative types became {len(after)}"
            return
        for earlier, later in zip(before, after, strict=True):
            yield from self.node(path, earlier, later)


def _resolved(node: JsonObject, document: JsonObject) -> JsonObject:
    reference = node.get("$ref")
    if reference is None:
        return node
    target = document["$defs"][reference.removeprefix("#/$defs/")]
    return {**target, **{keyword: value for keyword, value in node.items() if keyword != "$ref"}}


def _patterns(old: JsonObject, new: JsonObject) -> tuple[Any, Any]:
    """Two comparable views of ``patternProperties``; a changed pattern of names shows as a changed set of fields."""
    before, after = old.get("patternProperties"), new.get("patternProperties")
    if before is None or after is None or before.keys() != after.keys():
        return before and sorted(before), after and sorted(after)
    return {"properties": before}, {"properties": after}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
