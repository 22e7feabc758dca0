"""Finds what reads: functions that call something which makes values of texts, wherever they are."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType

ROOT = Path(__file__).parents[3]

MAKES_VALUES = frozenset(
    {
        *("loads", "compose", "get_single_node", "read_plain_yaml", "Document", "safe_load"),
        *("model_validate", "model_validate_json", "validate_python", "validate_json", "get_unverified_header"),
        *("fromisoformat", "strptime", "UUID", "Decimal", "b64decode", "urlsafe_b64decode"),
        *("parse_qs", "parse_qsl", "urlsplit", "reader", "DictReader", "iterparse", "fromstring", "XMLPullParser"),
        *("message_from_bytes", "parsedate_to_datetime", "literal_eval"),
    }
)
"""Functions, methods and classes of libraries, and of ours for YAML, by their last name."""


def reading_functions() -> set[str]:
    """``services/intake/api/places.py:read_place`` of each that calls one of them."""
    found = set()
    for folder in ("services", "shared", "punctual"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {f"{path.relative_to(ROOT).as_posix()}:{name}" for name in _functions_of(tree, "")}
    return found


def _functions_of(node: ast.AST, within: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = within + child.name
            if not isinstance(child, ast.ClassDef) and any(_makes_a_value(inner) for inner in _own_nodes(child)):
                yield name
            yield from _functions_of(child, f"{name}." if isinstance(child, ast.ClassDef) else f"{name}.<locals>.")
        else:
            yield from _functions_of(child, within)


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Without those of functions within it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child
            yield from _own_nodes(child)


def _makes_a_value(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in MAKES_VALUES
    return False


def functions_called(work: Callable[[], object]) -> set[str]:
    """Those of ours that run while the work is done."""
    codes: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            codes.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    named = ((Path(code.co_filename), code.co_qualname) for code in codes)
    return {f"{path.relative_to(ROOT).as_posix()}:{name}" for path, name in named if path.is_relative_to(ROOT)}
