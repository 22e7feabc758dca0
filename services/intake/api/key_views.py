"""What callers send and see of API keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from services.intake.api.bodies import EXACT, Body, Instant, Whole, misfits, shown
from services.intake.domain.api_key import OVERLAP, SCOPES_OF_CHANNELS, ApiKey, KeyState, Role
from shared.http.access import Scope
from shared.http.own_names import OWN_NAMES, require_other_name

SLOWEST = 0.001
"""Calls a second, one in a quarter of an hour: whoever wants less of a key revokes it."""

_LONGEST_OVERLAP = timedelta(days=90)  # longer, it is not a rotation but a second key

PrefixOf = Annotated[
    str, Path(pattern=r"^[2-9A-Z]{8}$", description="The part of the key after pk_", examples=["K7M4Q2XD"])
]

KeyName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


NewKeyName = Annotated[
    KeyName, AfterValidator(require_other_name), shown(**{"not": {"enum": list[JsonValue](sorted(OWN_NAMES))}})
]

_OF_CHANNELS: list[JsonValue] = [scope.value for scope in sorted(SCOPES_OF_CHANNELS)]
_GIVEN_TOGETHER = ("rate_per_second", "burst")


class KeyBody(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {
                    "anyOf": [
                        {"properties": {"role": {"const": "staff"}}},
                        {"properties": {"scopes": {"items": {"enum": _OF_CHANNELS}}}},
                    ]
                },
                {
                    "anyOf": [
                        {"properties": {name: {"type": "null"} for name in _GIVEN_TOGETHER}},
                        {
                            "properties": {name: {"type": "number"} for name in _GIVEN_TOGETHER},
                            "required": list(_GIVEN_TOGETHER),
                        },
                    ]
                },
            ]
        }
    )

    name: NewKeyName = Field(description="Of the channel, or of a program of the house", examples=["branch"])
    role: Role = Field(description="A channel sees its own requests; staff is a service that administers")
    scopes: Annotated[list[Scope], FailFast()] = Field(min_length=1, examples=[["submit", "batch", "read"]])
    expires_at: Instant | None = Field(None, description="Real time; without it the key works until it is revoked")
    rate_per_second: Annotated[float, Field(ge=SLOWEST, le=100_000), EXACT] | None = Field(
        None, description="Calls; else the house's setting"
    )
    burst: Annotated[int, Field(ge=1, le=1_000_000), EXACT] | None = Field(
        None, description="Calls at once; given with rate_per_second"
    )

    @model_validator(mode="after")
    def _check(self) -> KeyBody:
        beyond = sorted(set(self.scopes) - SCOPES_OF_CHANNELS)
        if self.role == "channel" and beyond:
            raise misfits(self, {"scopes": f"a channel cannot have: {', '.join(beyond)}"})
        left_out = [name for name in _GIVEN_TOGETHER if getattr(self, name) is None]
        if len(left_out) == 1:
            raise misfits(self, {left_out[0]: "give rate_per_second and burst, or neither"})
        return self


class RotateBody(Body):
    overlap_seconds: Whole = Field(
        int(OVERLAP.total_seconds()),
        ge=0,
        le=int(_LONGEST_OVERLAP.total_seconds()),
        description="How long the old key goes on working, real time",
    )

    @property
    def overlap(self) -> timedelta:
        return timedelta(seconds=self.overlap_seconds)


class KeyView(BaseModel):
    """Instants are real time."""

    prefix: str
    name: str
    role: Role
    scopes: list[Scope]
    state: KeyState
    rate_per_second: float | None
    burst: int | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None = Field(description="To the minute or so")
    replaces: str | None = Field(description="Prefix of the key before it")
    replaced_by: str | None = Field(description="Prefix of the key after it")


class NewKeyView(KeyView):
    key: str | None = Field(description="The key itself, in this answer only: a repeat of the call has null here")


def view_key(key: ApiKey, now: datetime) -> KeyView:
    """
    Args:
        now: real time.
    """
    return KeyView(
        prefix=key.prefix,
        name=key.name,
        role=key.role,
        scopes=sorted(key.scopes),
        state=key.state(now),
        rate_per_second=key.rate_per_second,
        burst=key.burst,
        created_at=key.created_at,
        created_by=key.created_by,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        revoked_by=key.revoked_by,
        last_used_at=key.last_used_at,
        replaces=key.replaces,
        replaced_by=key.replaced_by,
    )
