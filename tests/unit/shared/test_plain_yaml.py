"""YAML as people write it: what no person writes is refused where it begins."""

from __future__ import annotations

import pytest

from shared.rules.plain_yaml import UnreadableYaml, read_plain_yaml


def nested(levels: int) -> str:
    return "a: 1\nb: " + "[" * levels + "]" * levels


def test_as_many_levels_as_people_write_are_read() -> None:
    _, values = read_plain_yaml(nested(63))
    assert values["a"] == 1


@pytest.mark.parametrize("levels", [64, 65, 3000])
def test_more_levels_are_refused_at_their_line(levels: int) -> None:
    with pytest.raises(UnreadableYaml, match="nested too deeply") as refused:
        read_plain_yaml(nested(levels))
    assert refused.value.line == 2


def test_what_stands_side_by_side_is_no_level() -> None:
    _, values = read_plain_yaml("\n".join(f"k{n}: [[{n}]]" for n in range(200)))
    assert values["k199"] == [[199]]


def test_an_alias_is_refused_at_its_line() -> None:
    with pytest.raises(UnreadableYaml, match="an alias is not taken") as refused:
        read_plain_yaml("a: &x 1\nb: *x")
    assert refused.value.line == 2
