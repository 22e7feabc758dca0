"""A URL of a database that cannot be meant is refused at the start, and nothing of its password is shown."""

from __future__ import annotations

import sys
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punctual.cli import main
from shared.errors import ConfigurationError
from shared.settings import NO_DATABASE_URL, ServiceSettings, is_database_url, load_settings, service_config

GOOD = [
    "postgresql://role:word@localhost/db",
    "postgres://role@127.0.0.1:5432/db",
    "postgresql://role:word@[::1]:5432/db?sslmode=require",
    "postgresql://role:word@one:5432,two:5433/db?target_session_attrs=primary",
    "postgresql://role:word@/db?host=/var/run/postgresql&port=5433",
    "postgresql://role:word@%2Fvar%2Frun%2Fpostgresql/db",
    "postgresql:///db?host=/tmp&user=role",
    "postgresql://role:p%40%2F%3F%23@localhost/db",
    "postgresql://role:a:b@localhost?dbname=db",
]

SECRET = "hush"
WRONG = [
    "hello",
    "mysql://x",
    "postgresql://unset",
    f"postgresql://{SECRET}",
    f"postgresql://role:{SECRET}@localhost",
    f"postgresql://:{SECRET}@localhost/db",
    f"postgresql://role:{SECRET}@/db",
    f"postgresql://role:{SECRET}@localhost:99999999/db",
    f"postgresql://role:{SECRET}@localhost:70000/db",
    f"postgresql://role:{SECRET}@localhost:0/db",
    f"postgresql://role:{SECRET}@localhost:port/db",
    f"postgresql://role:{SECRET}@one,,two/db",
    f"postgresql://role:{SECRET}@/db?host=/tmp&port=many",
    f"postgresql://role:{SECRET}@localhost/db/other",
    f"postgresql://role:{SECRET}@localhost/db?{SECRET}",
    *(f"postgresql://role:1{character}{SECRET}@localhost:5432/db" for character in "/?#@[]"),
    f"postgresql://role:a@1/{SECRET}?x={SECRET}@localhost:5432/db",
]


class Settings(ServiceSettings):
    model_config = service_config("example")


@pytest.mark.parametrize("url", GOOD)
def test_what_the_client_can_use_is_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PUNCTUAL_EXAMPLE_HTTP_PORT", "1")
    monkeypatch.setenv("PUNCTUAL_EXAMPLE_DATABASE_URL", url)
    assert load_settings(Settings).database_url.get_secret_value() == url


@pytest.mark.parametrize("url", WRONG)
def test_anything_else_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PUNCTUAL_EXAMPLE_HTTP_PORT", "1")
    monkeypatch.setenv("PUNCTUAL_EXAMPLE_DATABASE_URL", url)
    with pytest.raises(ConfigurationError) as raised:
        load_settings(Settings)
    assert str(raised.value).endswith(f"PUNCTUAL_EXAMPLE_DATABASE_URL: Value error, {NO_DATABASE_URL}")
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("name", ["PUNCTUAL_ADMIN_DATABASE_URL", "PUNCTUAL_INTAKE_DATABASE_URL"])
@pytest.mark.parametrize("url", WRONG)
def test_migrating_refuses_them_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, url: str
) -> None:
    monkeypatch.setenv("PUNCTUAL_ADMIN_DATABASE_URL", GOOD[0])
    monkeypatch.setenv(name, url)
    monkeypatch.setattr(sys, "argv", ["punctual", "migrate", "--wait", "0"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 78
    assert capsys.readouterr().err == f"punctual: {name} {NO_DATABASE_URL}\n"


@given(password=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_password_can_be_percent_encoded(password: str) -> None:
    assert is_database_url(f"postgresql://role:{quote(password, safe='')}@localhost:5432/db")
