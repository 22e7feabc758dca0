"""Process definitions as answers show them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from services.intake.store.processes import ProcessVersion
from shared.contracts.payload import RequestKind

CodeOf = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["enquiry"])]


class SummaryView(BaseModel):
    process: str
    version: int
    kind: RequestKind
    product_lines: list[str] = Field(description="Empty: every line of the kind that has no process of its own")
    stages: list[str]
    outcomes: list[str]


class VersionView(BaseModel):
    process: str
    version: int
    origin: str = Field(description="file or api")
    author: str
    reason: str | None
    applied_at: datetime = Field(description="Since when new requests begin with it")


class ProcessView(VersionView):
    source: str = Field(description="The definition as it was written")


class AppliedView(ProcessView):
    new: bool = Field(description="false when this text was in force already")


class ErrorView(BaseModel):
    line: int
    field: str
    message: str


class RemarkView(BaseModel):
    line: int
    where: str
    message: str


class ProcessLintView(BaseModel):
    errors: list[ErrorView] = Field(description="Why the definition cannot be used")
    remarks: list[RemarkView] = Field(description="What can be used and may not be meant")


class ProcessDifferencesView(BaseModel):
    process: str
    from_version: int
    to_version: int | None = Field(description="null for a draft")
    differences: list[str] = Field(description="A sentence for each thing that was added, removed or changed")


def view_process(found: ProcessVersion) -> ProcessView:
    return ProcessView(
        process=found.process,
        version=found.version,
        origin=found.origin,
        author=found.author,
        reason=found.reason,
        applied_at=found.applied_at,
        source=found.source,
    )
