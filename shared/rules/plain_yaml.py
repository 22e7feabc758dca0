"""YAML as people write it, for files that are read as a whole: no aliases, and one error for whatever is wrong.

An alias makes a text of one screen stand for more than any machine could walk through.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml.composer import ComposerError

_LEVELS = 64


class UnreadableYaml(ValueError):
    """The text is no plain YAML; the message says why.

    Attributes:
        line: from 1.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem.encode("utf-8", "backslashreplace").decode())  # YAML can spell halves of characters
        self.line = line


def read_plain_yaml(text: str, *, is_typed: bool = True) -> tuple[yaml.Node | None, Any]:
    """The nodes, which know their lines, and the values; None and None for a text that says nothing.

    Args:
        is_typed: make numbers, instants, true and false; otherwise every value is a text.

    Raises:
        UnreadableYaml: says where and why.
    """
    loader: _Plain | _PlainTexts | None = None
    try:
        loader = _Plain(text) if is_typed else _PlainTexts(text)
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "context", None) or "is no YAML"
        raise UnreadableYaml(mark.line + 1 if mark else 1, str(problem)) from None
    except (ValueError, OverflowError, LookupError, AttributeError, TypeError) as error:
        # What the library lets through of values that are not what their form or their tag says: !!int of nothing, a
        # 32nd of the month.
        raise UnreadableYaml(1, f"holds a value that cannot be read: {error}") from None
    finally:
        if loader is not None:
            loader.dispose()


class TooDeep(ComposerError):
    """The text is YAML that nobody writes."""


class _Shallow:
    """Takes no more levels than people write, and stops reading there."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self._depth == _LEVELS:
            raise TooDeep(None, None, "is nested too deeply", self.peek_event().start_mark)  # type: ignore[attr-defined]
        self._depth += 1
        node = super().compose_node(parent, index)  # type: ignore[misc]  # of the loader it is mixed into
        self._depth -= 1
        return node


class _WithoutAliases(_Shallow):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):  # type: ignore[attr-defined]
            mark = self.peek_event().start_mark  # type: ignore[attr-defined]
            raise ComposerError(None, None, "an alias is not taken; write out what it stands for", mark)
        return super().compose_node(parent, index)


class ShallowLoader(_Shallow, yaml.SafeLoader):
    """What YAML means, aliases among it: for readers that stop at the first name they do not know."""


class _Plain(_WithoutAliases, yaml.SafeLoader):
    """Makes what YAML means."""


class _PlainTexts(_WithoutAliases, yaml.BaseLoader):
    """Makes texts, lists and mappings only."""
