"""Where Postgres refuses whom a URL names, the start ends with one line and not in a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.errors import ConfigurationError
from shared.postgres import Database
from shared.postgres.migrations import migrate_all
from tests.integration.shared.starting import end_of

SERVICE = "quality_audit"
OTHER_PASSWORD = "open-sesame"


def with_password(url: str) -> str:
    return url.replace(":test-only@", f":{OTHER_PASSWORD}@")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (with_password, f'password authentication failed for user "punctual_{SERVICE}"'),
        (lambda url: url.replace(f"//punctual_{SERVICE}", "//nobody"), 'password authentication failed for user "nob'),
        (lambda url: url + "_of_others", 'database "test_[0-9a-f]+_of_others" does not exist'),
        (lambda url: url + "?sslmode=perhaps", "`sslmode` parameter must be one of"),
    ],
    ids=["password", "role", "database", "parameter"],
)
async def test_opening_says_what_is_refused(
    database_urls: dict[str, str], change: Callable[[str], str], refusal: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^the database URL of {SERVICE} is refused: {refusal}") as raised:
        await Database.open(change(database_urls[SERVICE]), schema=SERVICE, application_name="tests")
    assert OTHER_PASSWORD not in str(raised.value)


async def test_a_service_ends_with_code_78(database_urls: dict[str, str], tmp_path: Path) -> None:
    code, said = end_of(SERVICE, with_password(database_urls[SERVICE]), tmp_path)
    assert code == 78
    assert said == (
        f"punctual {SERVICE}: the database URL of {SERVICE} is refused: "
        f'password authentication failed for user "punctual_{SERVICE}"\n'
    )


async def test_migrating_where_there_is_no_database_says_so(database_urls: dict[str, str]) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^Postgres at 127\.0\.0\.1:\d+ refuses .* database .* does not exist$"
    ):
        await migrate_all(database_urls["admin"] + "_of_others", {SERVICE: database_urls[SERVICE]})
