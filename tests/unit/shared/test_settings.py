from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from shared.clock import ScaledClock, SystemClock
from shared.errors import ConfigurationError
from shared.settings import PlatformSettings, ServiceSettings, describe, load_settings, service_config


class Settings(ServiceSettings):
    model_config = service_config("example")

    retries: int = 3


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUNCTUAL_EXAMPLE_DATABASE_URL", "postgresql://role:secret-word@localhost/db")
    monkeypatch.setenv("PUNCTUAL_EXAMPLE_HTTP_PORT", "8801")


def test_settings_come_from_the_environment() -> None:
    settings = load_settings(Settings)
    assert settings.http_port == 8801
    assert isinstance(settings.platform.clock(), SystemClock)


def test_a_wrong_setting_is_named_and_its_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUNCTUAL_EXAMPLE_HTTP_PORT", "70000")
    monkeypatch.setenv("PUNCTUAL_EXAMPLE_RETRIES", "secret-number")
    with pytest.raises(ConfigurationError) as raised:
        load_settings(Settings)
    assert "PUNCTUAL_EXAMPLE_HTTP_PORT" in str(raised.value)
    assert "PUNCTUAL_EXAMPLE_RETRIES" in str(raised.value)
    assert "secret-number" not in str(raised.value)


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUNCTUAL_EXAMPLE_DATABASE_URL")
    with pytest.raises(ConfigurationError, match="PUNCTUAL_EXAMPLE_DATABASE_URL: Field required"):
        load_settings(Settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUNCTUAL_TOPIC_PARTITIONS", "many"),
        ("PUNCTUAL_CLOCK_SPEED", "60"),
        ("PUNCTUAL_CLOCK_START", "2026-03-02T00:00Z"),
    ],
)
def test_a_wrong_shared_setting_is_named_with_the_shared_prefix(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=r"PUNCTUAL_(TOPIC_PARTITIONS|\*)"):
        load_settings(Settings)


def test_the_clock_runs_from_its_start_at_its_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUNCTUAL_CLOCK_START", "2026-03-02T09:00:00+08:00")
    monkeypatch.setenv("PUNCTUAL_CLOCK_ANCHOR", "2026-11-22T00:00:00Z")
    monkeypatch.setenv("PUNCTUAL_CLOCK_SPEED", "3600")
    clock = load_settings(PlatformSettings).clock()
    assert isinstance(clock, ScaledClock)
    assert clock.speed == 3600
    assert clock.now() > datetime(2026, 3, 2, 1, tzinfo=UTC)


def test_secrets_are_masked_when_settings_are_shown() -> None:
    rows = describe(load_settings(Settings))
    by_name = {row["variable"]: row for row in rows}
    assert "secret-word" not in str(rows)
    assert by_name["PUNCTUAL_EXAMPLE_RETRIES"]["value"] == "3"
    assert by_name["PUNCTUAL_EXAMPLE_DATABASE_URL"]["default"] == "(required)"
    assert "PUNCTUAL_KAFKA_BOOTSTRAP" in by_name
    assert str(SecretStr("x")) != "x"


def test_a_certificate_and_its_key_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUNCTUAL_TLS_CERTIFICATE", "/etc/punctual/chain.pem")
    with pytest.raises(ConfigurationError, match="tls_certificate and tls_key go together"):
        load_settings(Settings)
    monkeypatch.setenv("PUNCTUAL_TLS_KEY", "/etc/punctual/key.pem")
    assert load_settings(Settings).platform.certificate() is not None
