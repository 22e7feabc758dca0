"""The environment of the notifier, prefix ``PUNCTUAL_NOTIFIER_``. Spans are seconds of real time."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from services.notifier.delivery.options import RelayOptions, Tls
from services.notifier.domain.addresses import is_deliverable
from services.notifier.domain.attempts import RetryPolicy
from services.notifier.domain.wording.mail import Sender
from shared.settings import Port, ServiceSettings, service_config

_MARGIN_SECONDS = 30  # a lease outlives the longest answer by this much, so that the answer still counts


class Settings(ServiceSettings):
    model_config = service_config("notifier")

    http_port: Port = Field(8803, description="Port to listen on")
    access_file: Path = Field(
        Path(__file__).with_name("access.yml"), description="Who may call which route, YAML; read at the start"
    )
    roles_file: Path | None = Field(
        None, description="YAML of role -> addresses and language; packaged example if unset"
    )

    mail_from: str = Field("Insurer Service <service@insurer.example>", description="Name and address mails come from")
    mail_reply_to: str | None = Field(None, description="Address of a box somebody reads; mail_from if unset")

    smtp_host: str = Field("127.0.0.1", description="The mail relay")
    smtp_port: Port = Field(25, description="Its port")
    smtp_hello_name: str = Field("localhost", description="The name this host gives in EHLO")
    smtp_tls: Tls = Field("opportunistic", description="off, opportunistic, starttls or implicit")
    smtp_ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's")
    smtp_username: str | None = Field(None, description="Login at the relay, if it wants one")
    smtp_password: SecretStr | None = Field(None, description="Its password")
    smtp_connections: int = Field(4, ge=1, le=64, description="Mails handed over at the same time")
    smtp_mails_per_session: int = Field(100, ge=1, description="Mails after which a connection is renewed")

    envelope_timeout_seconds: float = Field(20, gt=0, description="Longest wait for everything before the body")
    reply_timeout_seconds: float = Field(600, gt=0, description="Longest wait for the reply to the body (RFC 5321)")
    in_doubt_wait_seconds: float = Field(1800, ge=0, description="Wait before a notice in doubt is resent or given up")
    retry_seconds: Annotated[tuple[float, ...], NoDecode] = Field(
        (1, 5, 15, 30, 60), min_length=1, description="Pauses after failures, comma-separated; the last one repeats"
    )
    give_up_seconds: float = Field(259_200, gt=0, description="Since it was first put off; then a message is given up")
    poll_seconds: float = Field(0.25, gt=0, description="Longest time between two looks for ready notices")
    mail_retention_days: int = Field(
        365, ge=1, le=36_500, description="Days of business time for which a mail is kept after its notice ended"
    )

    @field_validator("retry_seconds", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return value.split(",") if isinstance(value, str) else value

    @field_validator("mail_from", "mail_reply_to")
    @classmethod
    def _is_mailbox(cls, value: str | None) -> str | None:
        if value is not None and not (value.isprintable() and is_deliverable(parseaddr(value)[1])):
            raise ValueError("is not a mail address")
        return value

    def sender(self) -> Sender:
        name, address = parseaddr(self.mail_from)
        reply_to = parseaddr(self.mail_reply_to)[1] if self.mail_reply_to else None
        return Sender(name=name or address, address=address, reply_to=reply_to)

    def relay(self) -> RelayOptions:
        return RelayOptions(
            host=self.smtp_host,
            port=self.smtp_port,
            hello_name=self.smtp_hello_name,
            tls=self.smtp_tls,
            ca_file=self.smtp_ca_file,
            username=self.smtp_username,
            password=self.smtp_password.get_secret_value() if self.smtp_password else None,
            envelope_timeout=self.envelope_timeout_seconds,
            reply_timeout=self.reply_timeout_seconds,
            mails_per_session=self.smtp_mails_per_session,
        )

    def policy(self) -> RetryPolicy:
        return RetryPolicy(
            delays=self.retry_delays(),
            give_up_after=timedelta(seconds=self.give_up_seconds),
            in_doubt_wait=timedelta(seconds=self.in_doubt_wait_seconds),
        )

    def retry_delays(self) -> tuple[timedelta, ...]:
        return tuple(timedelta(seconds=seconds) for seconds in self.retry_seconds)

    def mail_retention(self) -> timedelta:
        return timedelta(days=self.mail_retention_days)

    def claim_lease(self) -> timedelta:
        return timedelta(seconds=self.envelope_timeout_seconds + 10)

    def body_lease(self) -> timedelta:
        return timedelta(seconds=self.reply_timeout_seconds + _MARGIN_SECONDS)
