"""The environment of sla_timer: prefix ``PUNCTUAL_SLA_TIMER_``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from shared.settings import Port, ServiceSettings, service_config

_RULES_OF_THE_HOUSE = Path(__file__).with_name("data")


class Settings(ServiceSettings):
    model_config = service_config("sla_timer")

    http_port: Port = Field(8802, description="Port to listen on")
    database_connections: int = Field(10, ge=3, le=200, description="Most connections to Postgres at a time")
    access_file: Path = Field(
        Path(__file__).with_name("access.yml"), description="Who may call which route, YAML; read at the start"
    )
    policies_file: Path = Field(
        _RULES_OF_THE_HOUSE / "policies.yml", description="Policies, YAML; re-read when it changes"
    )
    calendars_file: Path = Field(
        _RULES_OF_THE_HOUSE / "calendars.yml", description="Working calendars, YAML; re-read when it changes"
    )
    horizon_seconds: float = Field(60.0, ge=1, le=3600, description="Real seconds ahead for which timers are in memory")
    requests_in_memory: int = Field(
        10_000, ge=0, le=1_000_000, description="Requests kept in memory for their next event; some kilobytes each"
    )
