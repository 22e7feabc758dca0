"""What the local system reads from the environment, all with the prefix ``PUNCTUAL_``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parents[2]


class LocalSettings(BaseSettings):
    """Where the local system keeps its things and which programs of the machine it uses."""

    model_config = SettingsConfigDict(env_prefix="PUNCTUAL_", extra="ignore", env_ignore_empty=True)

    home: Path = Field(CHECKOUT / ".punctual", description="Folder of data, logs and downloads of one local system")
    parts: Path | None = Field(None, description="Folder of downloads, may be shared; <home>/parts when not given")
    java_home: str | None = Field(
        None, description="A JDK or JRE, 17 or newer; `wheel` insists on the downloaded one. Else JAVA_HOME, then PATH"
    )
    postgres_bin: Path | None = Field(
        None, description="Folder with initdb and postgres, 15 or newer; the downloaded ones when not given"
    )
    postgres_account: str | None = Field(
        None, description="Account that Postgres runs as when we are root; postgres, else nobody, when not given"
    )
    maven_repository: str | None = Field(
        None, description="URL of a mirror that has Kafka's jars; the public repository when not given"
    )
