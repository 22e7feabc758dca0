from __future__ import annotations

import pytest

from shared.postgres.statements import parse_statements

TEXT = """
-- name: take_due
-- Takes what is due, at most :count is only a comment here.
SELECT id::text, ':not_a_parameter', to_char(at, 'HH24:MI:SS') FROM timer
WHERE due_at <= :now::timestamptz AND partition = ANY(:partitions) AND again = :now
LIMIT :count;

-- name: forget
DELETE FROM timer WHERE id = :id
"""


def test_named_parameters_become_numbers_and_casts_strings_and_comments_stay() -> None:
    statement = parse_statements(TEXT)["take_due"]
    assert statement.parameters == ("now", "partitions", "count")
    assert "due_at <= $1::timestamptz AND partition = ANY($2) AND again = $1" in statement.sql
    assert "id::text, ':not_a_parameter', to_char(at, 'HH24:MI:SS')" in statement.sql
    assert statement.sql.endswith("LIMIT $3")


def test_arguments_are_ordered_by_name() -> None:
    statement = parse_statements(TEXT)["take_due"]
    assert statement.arguments({"count": 3, "now": 1, "partitions": 2}) == [1, 2, 3]


@pytest.mark.parametrize("given", [{}, {"id": 1, "other": 2}])
def test_a_missing_or_unknown_parameter_is_refused_by_name(given: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="forget takes"):
        parse_statements(TEXT)["forget"].arguments(given)


def test_a_name_used_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="forget is defined twice"):
        parse_statements(TEXT + "\n-- name: forget\nSELECT 1")
