"""Reads a YAML document field by field; every field knows its line, so that an error can name file, line and field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import TypeVar

import yaml

from shared.errors import ConfigurationError
from shared.rules.plain_yaml import TooDeepYaml, UnreadableYaml, compose_yaml

T = TypeVar("T")

_LONGEST_FIELD = 200
_LONGEST_MESSAGE = 1_000
"""Characters told of one complaint: a name or a value may be a megabyte long, and aliases repeat it in every other."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong with a document.

    Attributes:
        line: from 1.
        field: dotted path, such as ``policies[0].objectives.response.budget``.
    """

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, {self.field}: {self.message}"


class InvalidDocument(ConfigurationError):
    """The document cannot be used; the message lists every complaint.

    Attributes:
        complaints: at least one, in the order of the document.
    """

    def __init__(self, complaints: list[Complaint]) -> None:
        super().__init__(complaints)
        self.complaints = complaints

    def __str__(self) -> str:
        return "\n".join(str(complaint) for complaint in self.complaints)


class Field:
    """A node of the document with its path."""

    def __init__(self, document: Document, node: yaml.Node, path: str) -> None:
        self._document = document
        self._node = node
        self.path = path

    def fail(self, message: str) -> InvalidDocument:
        """The error to raise for this field."""
        where = shorten(self.path, _LONGEST_FIELD) or "document"
        return InvalidDocument([Complaint(self._document.file, self.line, where, shorten(message, _LONGEST_MESSAGE))])

    @property
    def line(self) -> int:
        """From 1."""
        return int(self._node.start_mark.line) + 1

    @property
    def is_mapping(self) -> bool:
        return isinstance(self._node, yaml.MappingNode)

    @property
    def count(self) -> int:
        """The elements of a list, or the names of a mapping; a single value is one."""
        return 1 if isinstance(self._node, yaml.ScalarNode) else len(self._node.value)

    def entries(self) -> dict[str, Field]:
        """The values of a mapping by key, in order."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.fail("must be a mapping of names to values")
        found: dict[str, Field] = {}
        for key, value in self._node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise Field(self._document, key, self.path).fail("a name must be a plain word")
            child = Field(self._document, value, f"{self.path}.{key.value}".lstrip("."))
            if key.value in found:
                raise Field(self._document, key, child.path).fail("is given twice")
            found[key.value] = child
        return found

    def members(self, required: frozenset[str], optional: frozenset[str] = frozenset()) -> dict[str, Field]:
        """``entries`` of a mapping whose names are fixed."""
        found = self.entries()
        for name, child in found.items():
            if name not in required | optional:
                known = ", ".join(sorted(required | optional))
                raise child.fail(f"is not a known name here; known are {known}")
        for name in sorted(required - found.keys()):
            raise self.fail(f"{name} is missing")
        return found

    def items(self) -> list[Field]:
        """The elements of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.fail("must be a list")
        return [Field(self._document, node, f"{self.path}[{i}]") for i, node in enumerate(self._node.value)]

    def items_or_self(self) -> list[Field]:
        """The elements of a list; a single value stands for a list of one."""
        return self.items() if isinstance(self._node, yaml.SequenceNode) else [self]

    def text(self) -> str:
        if not isinstance(self._node, yaml.ScalarNode) or not self._node.value:
            raise self.fail("must be a single value")
        return str(self._node.value)

    def parse(self, read: Callable[[str], T]) -> T:
        """The text through a reader that raises ValueError, or OverflowError."""
        text = self.text()
        try:
            return read(text)
        except (ValueError, OverflowError) as error:
            raise self.fail(str(error)) from None

    def distinct(self, read: Callable[[str], T]) -> list[T]:
        """The elements of a list, or a single value, each through a reader and none twice."""
        found: dict[T, None] = {}
        for entry in self.items_or_self():
            read_value = entry.parse(read)
            if read_value in found:
                raise entry.fail(f"{read_value} is named twice")
            found[read_value] = None
        return list(found)


class Document:
    """A parsed YAML text. Complaints inside ``collecting`` blocks are gathered and raised together by ``finish``."""

    def __init__(self, text: str, file: str) -> None:
        """Raises:
        InvalidDocument: the text is not YAML, or empty.
        """
        self.file = file
        self._complaints: list[Complaint] = []
        try:
            node = compose_yaml(text)
        except UnreadableYaml as error:
            message = str(error) if isinstance(error, TooDeepYaml) else f"is not YAML: {error}"
            raise InvalidDocument([Complaint(file, error.line, "document", message)]) from None
        if node is None:
            raise InvalidDocument([Complaint(file, 1, "document", "is empty")])
        self._node = node
        self.root = Field(self, node, "")

    def size(self) -> float:
        """Values that the text stands for, each as often as aliases name it; without end when one holds itself.

        A reader that looks at all of them bounds it first. It is found without walking them.
        """
        return _size(self._node, {})

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Go on after a complaint, so that one run names all of them."""
        try:
            yield
        except InvalidDocument as error:
            self._complaints += error.complaints

    def attempt(self, read: Callable[[], T]) -> T | None:
        """What was read; None after a complaint, which is collected."""
        try:
            return read()
        except InvalidDocument as error:
            self._complaints += error.complaints
            return None

    def finish(self) -> None:
        """Raises:
        InvalidDocument: something was collected.
        """
        if self._complaints:
            raise InvalidDocument(sorted(self._complaints, key=lambda complaint: complaint.line))


def shorten(text: str, longest: int) -> str:
    """Not more characters than that, and three dots where there were more."""
    return text if len(text) <= longest else f"{text[:longest]}..."


def _size(node: yaml.Node, known: dict[int, float]) -> float:
    """
    Args:
        known: what was found so far, by the identity of the nodes.
    """
    found = known.get(id(node))
    if found is None:
        known[id(node)] = inf  # of one that is met again inside itself
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            children = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        found = known[id(node)] = 1 + sum(_size(child, known) for child in children)
    return found


@contextmanager
def refusing(file: str) -> Iterator[None]:
    """Make a complaint about the whole file of what no field is known for.

    Raises:
        InvalidDocument: the text is nested too deeply, or holds a number or an instant beyond all bounds.
    """
    try:
        yield
    except RecursionError:
        raise InvalidDocument([Complaint(file, 1, "document", "is nested too deeply")]) from None
    except (OverflowError, ValueError) as error:
        raise InvalidDocument([Complaint(file, 1, "document", f"cannot be read: {error}")]) from None
