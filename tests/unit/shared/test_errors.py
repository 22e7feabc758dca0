"""The error tree is the one drawn at the top of its file, and its errors say what a person needs."""

from __future__ import annotations

import inspect

import shared.errors as tree
from shared.errors import Fenced, PunctualError, Rejected, Retryable


def _classes() -> dict[str, type[PunctualError]]:
    return {
        name: value
        for name, value in vars(tree).items()
        if inspect.isclass(value) and issubclass(value, PunctualError) and value.__module__ == tree.__name__
    }


def test_the_drawing_shows_every_error_and_only_those() -> None:
    words = {word.strip("├─└│ ") for line in (tree.__doc__ or "").splitlines() for word in line.split()}

    assert set(_classes()) == {word for word in words if hasattr(tree, word)}


def test_the_drawing_shows_each_error_below_its_parent() -> None:
    above: dict[int, str] = {}
    for line in (tree.__doc__ or "").splitlines():
        name = line.strip("├─└│ ").split(" ")[0]
        if name not in _classes():
            continue
        depth = (len(line) - len(line.lstrip("├─└│ "))) // 4
        above[depth] = name
        parent = _classes()[name].__base__
        assert depth == 0 or (parent is not None and parent.__name__ == above[depth - 1]), name


def test_every_error_explains_itself() -> None:
    for name, error in _classes().items():
        assert error.__doc__, name


def test_a_rejection_carries_its_reason_and_detail() -> None:
    error = Rejected("bad_payload", "stage: missing")

    assert (error.reason, error.detail) == ("bad_payload", "stage: missing")
    assert str(error) == "bad_payload: stage: missing"


def test_a_fenced_error_names_what_was_lost() -> None:
    error = Fenced("punctual.requests", 3)

    assert (error.topic, error.partition) == ("punctual.requests", 3)
    assert "partition 3 of punctual.requests" in str(error)


def test_only_retryable_errors_are_repeated() -> None:
    repeated = {name for name, error in _classes().items() if issubclass(error, Retryable)}

    assert repeated == {"Retryable", "DatabaseUnavailable", "BrokerUnavailable"}
