"""Versions of the rules as answers show them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from services.sla_timer.store.policy_versions import PolicyVersion, VersionSummary


class VersionView(BaseModel):
    version: int
    digest: str = Field(description="SHA-256 over both texts")
    loaded_at: datetime = Field(description="Since when it was in force")
    origin: str = Field(description="file or api")
    author: str
    reason: str | None


class TextsView(VersionView):
    source: str = Field(description="The policies as text")
    calendars_source: str


class PolicyView(TextsView):
    trouble: str | None = Field(description="Why the rule files cannot be used; the version shown stays in force")


def view_summary(version: VersionSummary) -> VersionView:
    return VersionView(
        version=version.version,
        digest=version.digest,
        loaded_at=version.loaded_at,
        origin=version.origin,
        author=version.author,
        reason=version.reason,
    )


def view_texts(version: PolicyVersion) -> TextsView:
    return TextsView(
        version=version.version,
        digest=version.sources.digest,
        loaded_at=version.loaded_at,
        origin=version.origin,
        author=version.author,
        reason=version.reason,
        source=version.sources.policies,
        calendars_source=version.sources.calendars,
    )


def view_policy(version: PolicyVersion, trouble: str | None) -> PolicyView:
    return PolicyView(**view_texts(version).model_dump(), trouble=trouble)
