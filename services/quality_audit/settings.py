"""The environment of quality_audit: prefix ``PUNCTUAL_QUALITY_AUDIT_``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from shared.settings import Port, ServiceSettings, service_config

PLAN_OF_THE_HOUSE = Path(__file__).with_name("sampling.yml")


class Settings(ServiceSettings):
    model_config = service_config("quality_audit")

    http_port: Port = Field(8804, description="Port to listen on")
    access_file: Path = Field(
        Path(__file__).with_name("access.yml"), description="Who may call which route, YAML; read at the start"
    )
    sampling_secret: SecretStr = Field(
        description="Decides which cases are reviewed; 32 characters or more, known to nobody who handles cases"
    )
    sampling_file: Path = Field(PLAN_OF_THE_HOUSE, description="Strata, rates and targets, YAML")
    figures_seconds: float = Field(15.0, gt=0, le=3600, description="Real seconds between two updates of the figures")
