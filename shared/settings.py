"""Settings come from the environment and are checked at the start.

``PlatformSettings`` (prefix ``PUNCTUAL_``) are the same for every process; each service adds its own
(prefix ``PUNCTUAL_<SERVICE>_``) by subclassing ``ServiceSettings`` in its ``settings.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.clock import Clock, ScaledClock, SystemClock
from shared.errors import ConfigurationError

S = TypeVar("S", bound=BaseSettings)

Port = Annotated[int, Field(ge=1, le=65535)]


class PlatformSettings(BaseSettings):
    """What all processes share."""

    model_config = SettingsConfigDict(env_prefix="PUNCTUAL_", extra="ignore", env_ignore_empty=True)

    kafka_bootstrap: str = Field("127.0.0.1:9092", description="Kafka's bootstrap servers, host:port,host:port")
    topic_partitions: int = Field(8, ge=1, le=1024, description="Partitions of each topic when it is created")
    topic_replication: int = Field(1, ge=1, le=9, description="Copies of each partition when a topic is created")
    clock_speed: float = Field(1.0, gt=0, le=1_000_000, description="Business seconds per real second; 1 in production")
    clock_start: AwareDatetime | None = Field(None, description="Business instant at clock_anchor, with an offset")
    clock_anchor: AwareDatetime | None = Field(None, description="Real instant at which business time was clock_start")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR")
    api_keys_file: Path | None = Field(None, description="JSON file with the names, roles and hashes of API keys")
    reject_share: float = Field(
        0.5, gt=0, le=1, description="A consumer stops when a larger share of the last 200 events is rejected; 1: never"
    )
    public_url: str = Field("http://127.0.0.1:8801", description="Where customers reach intake's status pages")

    @model_validator(mode="after")
    def _clock_is_whole(self) -> PlatformSettings:
        if self.clock_speed != 1.0 and self.clock_start is None:
            raise ValueError("clock_speed other than 1 needs clock_start and clock_anchor")
        if (self.clock_start is None) != (self.clock_anchor is None):
            raise ValueError("clock_start and clock_anchor go together")
        return self

    def clock(self) -> Clock:
        """The business clock all processes agree on."""
        if self.clock_start is None or self.clock_anchor is None:
            return SystemClock()
        return ScaledClock(_utc(self.clock_start), _utc(self.clock_anchor), self.clock_speed)


class ServiceSettings(BaseSettings):
    """What every service has. Subclasses set ``model_config = service_config("<service>")``."""

    platform: PlatformSettings = Field(default_factory=PlatformSettings)
    database_url: SecretStr = Field(description="postgresql://role:password@host:port/database of this service's role")
    http_host: str = Field("127.0.0.1", description="Address to listen on")
    http_port: Port = Field(description="Port to listen on")


def service_config(service: str) -> SettingsConfigDict:
    return SettingsConfigDict(env_prefix=f"PUNCTUAL_{service.upper()}_", extra="ignore", env_ignore_empty=True)


def load_settings(settings_class: type[S]) -> S:
    """Read the environment.

    Raises:
        ConfigurationError: one message that names every wrong variable, without its value.
    """
    try:
        return settings_class()
    except ValidationError as error:
        prefix = (
            "PUNCTUAL_"
            if error.title == PlatformSettings.__name__
            else settings_class.model_config.get("env_prefix", "")
        )
        lines = [f"  {_variable(prefix, problem)}: {problem['msg']}" for problem in error.errors()]
        raise ConfigurationError("the configuration is not usable:\n" + "\n".join(dict.fromkeys(lines))) from None


def describe(settings: BaseSettings) -> list[dict[str, Any]]:
    """Every variable with its value (secrets masked), default and meaning; for ``--config``."""
    rows: list[dict[str, Any]] = []
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseSettings):
            rows.extend(describe(value))
            continue
        default = "(required)" if field.is_required() else field.get_default(call_default_factory=True)
        rows.append(
            {
                "variable": f"{prefix}{name}".upper(),
                "value": str(value),
                "default": str(default),
                "meaning": field.description or "",
            }
        )
    return rows


def _variable(prefix: str, problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    return f"{prefix}{where}".upper() if where else f"{prefix}*"


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)
