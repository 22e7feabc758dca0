"""What the commands read from the environment beside the settings of services and of the local system.

For the list of ``punctual config``; each command reads its own where it needs it.
"""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class CommandSettings(BaseSettings):
    """Where the commands find a running system, and as whom they call it."""

    model_config = SettingsConfigDict(env_prefix="PUNCTUAL_", extra="ignore", env_ignore_empty=True)

    staff_key: SecretStr | None = Field(None, description="The key that staff commands call with; else the sign-in")
    sla_timer_url: str | None = Field(None, description="sla_timer's address; else that of the running local system")
    intake_url: str | None = Field(None, description="intake's address, likewise")
    notifier_url: str | None = Field(None, description="notifier's address, likewise")
    plain_http: str | None = Field(
        None, description="`allowed`: keys may go to another machine over http://, where the line is yours alone"
    )
    replay_key: SecretStr | None = Field(None, description="The key that `punctual replay --url` sends with")
    admin_database_url: SecretStr | None = Field(
        None, description="A role that may create roles and schemas; read by `punctual migrate` only"
    )
