"""What intake reads from the environment, prefix ``PUNCTUAL_INTAKE_``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr

from shared.settings import Port, ServiceSettings, service_config


class Settings(ServiceSettings):
    model_config = service_config("intake")

    http_port: Port = Field(8801, description="Port to listen on")
    database_connections: int = Field(10, ge=3, le=200, description="Most connections to Postgres at a time")
    access_file: Path = Field(
        Path(__file__).with_name("access.yml"), description="Who may call which route, YAML; read at the start"
    )
    data_folder: Path = Field(
        Path(__file__).parent / "data",
        description="Folder with processes/, status_page/, validation, automation and retention.yml; a copy may do",
    )
    signature_secret: SecretStr = Field(
        description=(
            "Key of the signatures by which texts are compared, and of sealed cursors; 32 to 64 characters, the same in"
            " every process"
        )
    )
    outbox_limit: int = Field(
        50_000, ge=1, le=99_999, description="Unpublished events above which writes are answered 503"
    )
    retry_after_seconds: int = Field(5, ge=1, le=3600, description="What a 503 tells the client to wait")
    queue_limit: int = Field(
        4_000, ge=2, le=1_000_000, description="Requests waiting to be stored above which more are answered 503"
    )
    queue_patience_seconds: float = Field(
        5.0, gt=0, le=60, description="How long requests may wait to be stored before more are answered 503"
    )
    call_patience_seconds: float = Field(
        10.0, gt=0, le=600, description="How long a call may take before it is answered 503; some may take longer"
    )
    line_limit: int = Field(262_144, ge=1_024, le=1_000_000, description="Most bytes of one line of a batch")
    batch_patience_seconds: float = Field(
        30.0, gt=0, le=600, description="How long a batch waits in the middle before it is told where to resume"
    )
    rate_per_second: float = Field(
        500.0, ge=0, le=100_000, description="Calls a second of one key, in each process; 0: no limit"
    )
    rate_burst: int = Field(2_000, ge=1, le=1_000_000, description="Calls of one key at once, after a pause")
    key_patience_seconds: float = Field(
        5.0, gt=0, le=15, description="How long a write waits for another one with its idempotency key before 409"
    )
    key_retention_hours: int = Field(72, ge=24, description="How long answers are kept for repeats, real time")

    @property
    def queue_patience(self) -> timedelta:
        return timedelta(seconds=self.queue_patience_seconds)

    @property
    def call_patience(self) -> timedelta:
        return timedelta(seconds=self.call_patience_seconds)

    @property
    def batch_patience(self) -> timedelta:
        return timedelta(seconds=self.batch_patience_seconds)

    @property
    def key_patience(self) -> timedelta:
        return timedelta(seconds=self.key_patience_seconds)

    @property
    def key_retention(self) -> timedelta:
        return timedelta(hours=self.key_retention_hours)
