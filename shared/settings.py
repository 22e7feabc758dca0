"""Settings come from the environment and are checked at the start.

``PlatformSettings`` (prefix ``PUNCTUAL_``) are the same for every process; each service adds its own
(prefix ``PUNCTUAL_<SERVICE>_``) by subclassing ``ServiceSettings`` in its ``settings.py``.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.clock import Clock, ScaledClock, SystemClock
from shared.encryption import MasterKeys
from shared.errors import ConfigurationError

S = TypeVar("S", bound=BaseSettings)

_LAST_PORT = 65_535
Port = Annotated[int, Field(ge=1, le=_LAST_PORT)]

NO_DATABASE_URL = (
    "is not postgresql://role:password@host:port/database; special characters of the password are percent-encoded"
)

_HOST = re.compile(r"/.*|(\[[0-9a-fA-F:.]+\]|[^][:/]+)(:(?P<port>[0-9]+))?")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


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
    oidc_issuer: str | None = Field(
        None, description="URL of the issuer of staff tokens, exactly as its tokens say it; without it only keys count"
    )
    oidc_audience: str = Field("punctual", min_length=1, description="The audience of tokens that are meant for us")
    oidc_roles_claim: str = Field("roles", min_length=1, description="Claim with the roles; a.b is b inside a")
    oidc_teams_claim: str = Field("teams", min_length=1, description="Claim with the teams; a.b is b inside a")
    oidc_name_claim: str = Field(
        "preferred_username", min_length=1, description="Claim with the name that is kept with what somebody did"
    )
    oidc_role_names: Annotated[dict[str, str], NoDecode] = Field(
        {}, description="JSON object, the issuer's name of a role: ours; empty when it uses our names"
    )
    reject_share: float = Field(
        0.5, gt=0, le=1, description="A consumer stops when a larger share of the last 200 events is rejected; 1: never"
    )
    master_keys: SecretStr | None = Field(
        None,
        description="name:key,name:key of intake and notifier, each key 32 bytes in Base64; encrypt the customers' "
        "keys, the first one the new ones",
    )
    tls_certificate: Path | None = Field(None, description="PEM file, the chain that HTTPS is served with; else HTTP")
    tls_key: Path | None = Field(None, description="PEM file, the certificate's private key, without a password")
    public_url: str = Field("http://127.0.0.1:8801", description="Where customers reach intake's status pages")

    @field_validator("oidc_role_names", mode="before")
    @classmethod
    def _is_json_object(cls, given: Any) -> Any:
        try:
            return json.loads(given) if isinstance(given, str) else given
        except ValueError:
            raise ValueError('must be a JSON object such as {"Claims Handlers": "handler"}') from None

    @field_validator("master_keys")
    @classmethod
    def _keys_are_readable(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            MasterKeys.parse(given.get_secret_value())
        return given

    @field_validator("oidc_issuer")
    @classmethod
    def _line_is_safe(cls, issuer: str | None) -> str | None:
        if issuer is not None and not is_safe_address(issuer):
            raise ValueError("must be an https:// URL; http:// is for this machine only")
        return issuer

    @model_validator(mode="after")
    def _clock_is_whole(self) -> PlatformSettings:
        if self.clock_speed != 1.0 and self.clock_start is None:
            raise ValueError("clock_speed other than 1 needs clock_start and clock_anchor")
        if (self.clock_start is None) != (self.clock_anchor is None):
            raise ValueError("clock_start and clock_anchor go together")
        return self

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> PlatformSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        return self

    def certificate(self) -> tuple[Path, Path] | None:
        """What the API is served with: the chain and its key; None serves plain HTTP."""
        if self.tls_certificate is None or self.tls_key is None:
            return None
        return self.tls_certificate, self.tls_key

    def clock(self) -> Clock:
        """The business clock all processes agree on."""
        if self.clock_start is None or self.clock_anchor is None:
            return SystemClock()
        return ScaledClock(_utc(self.clock_start), _utc(self.clock_anchor), self.clock_speed)

    def read_master_keys(self) -> MasterKeys:
        """For who holds personal data.

        Raises:
            ConfigurationError: there are none.
        """
        if self.master_keys is None:
            raise ConfigurationError("PUNCTUAL_MASTER_KEYS is missing: personal data are stored encrypted only")
        return MasterKeys.parse(self.master_keys.get_secret_value())


class ServiceSettings(BaseSettings):
    """What every service has. Subclasses set ``model_config = service_config("<service>")``."""

    platform: PlatformSettings = Field(default_factory=PlatformSettings)
    database_url: SecretStr = Field(description="postgresql://role:password@host:port/database of this service's role")
    http_host: str = Field("127.0.0.1", description="Address to listen on")
    http_port: Port = Field(description="Port to listen on")

    @field_validator("database_url")
    @classmethod
    def _names_a_database(cls, given: SecretStr) -> SecretStr:
        if not is_database_url(given.get_secret_value()):
            raise ValueError(NO_DATABASE_URL)
        return given


def is_safe_address(address: str) -> bool:
    """HTTPS, or this machine: keys and passwords from an open line would be anybody's."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return bool(parts.hostname) and (parts.scheme == "https" or is_local)


def is_database_url(url: str) -> bool:
    """As the client of Postgres reads it, which also takes several hosts, and ``?host=/folder`` for a socket.

    An unescaped character cuts a password in two. Then the ``@`` behind it is not where the host begins: the URL is
    refused before a part of the password is taken for a host or a port, and shown as one that is wrong.
    """
    try:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        return False
    login, _, place = parts.netloc.rpartition("@")
    database = parts.path.removeprefix("/") or given.get("dbname") or given.get("database") or ""
    hosts = [_HOST.fullmatch(host) for host in (place or given.get("host", "")).split(",")]
    ports = [host["port"] for host in hosts if host and host["port"]] + given.get("port", "5432").split(",")
    return (
        parts.scheme in {"postgresql", "postgres"}
        and bool(login.partition(":")[0] or given.get("user"))
        and all(hosts)
        and all(re.fullmatch("[0-9]{1,5}", port) and 1 <= int(port) <= _LAST_PORT for port in ports)
        and bool(database)
        and "/" not in database
        and not any("@" in part for part in (login, parts.path, parts.query))
        and not parts.fragment
    )


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
