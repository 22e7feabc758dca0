"""What the environment may say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.notifier.settings import Settings
from shared.errors import ConfigurationError
from shared.settings import load_settings

PREFIX = "PUNCTUAL_NOTIFIER_"


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}DATABASE_URL", "postgresql://punctual_notifier:secret@127.0.0.1/punctual")


def test_the_defaults_are_those_of_the_design() -> None:
    settings = load_settings(Settings)
    assert [delay.total_seconds() for delay in settings.retry_delays()] == [1, 5, 15, 30, 60]
    assert settings.policy().in_doubt_wait == timedelta(minutes=30)
    assert settings.smtp_connections == 4
    assert settings.http_port == 8803


def test_leases_outlive_what_they_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}REPLY_TIMEOUT_SECONDS", "5")
    settings = load_settings(Settings)
    assert settings.claim_lease().total_seconds() > settings.envelope_timeout_seconds
    assert settings.body_lease().total_seconds() > settings.relay().reply_timeout


def test_pauses_are_given_as_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}RETRY_SECONDS", "0.5,2")
    assert load_settings(Settings).retry_delays() == (timedelta(seconds=0.5), timedelta(seconds=2))


def test_the_sender_has_a_name_and_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}MAIL_FROM", "保險服務 <service@insurer.example>")
    monkeypatch.setenv(f"{PREFIX}MAIL_REPLY_TO", "care@insurer.example")
    sender = load_settings(Settings).sender()
    assert (sender.name, sender.address, sender.reply_to) == (
        "保險服務",
        "service@insurer.example",
        "care@insurer.example",
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "A <a@b.example>\r\nBcc: c@d.example"),
        ("MAIL_REPLY_TO", "a@b@c"),
        ("RETRY_SECONDS", "soon"),
        ("SMTP_CONNECTIONS", "0"),
        ("SMTP_TLS", "maybe"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}{variable}", value)
    with pytest.raises(ConfigurationError, match=f"{PREFIX}{variable}"):
        load_settings(Settings)
