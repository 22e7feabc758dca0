"""What is checked when a request comes in."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.intake.api.context import CallerOf, ContextOf
from services.intake.domain.validation.book import Schema, Severity
from shared.http import problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["quarantine"])


class RuleView(BaseModel):
    rule: str
    severity: Severity
    message: str


class SchemaView(BaseModel):
    """The requests it is for; an empty list stands for all."""

    name: str
    kinds: list[str]
    product_lines: list[str]
    markets: list[str]
    rules: list[RuleView]


class ValidationView(BaseModel):
    sha256: str = Field(description="Of validation.yml as it was read")
    loaded_at: datetime
    schemas: list[SchemaView]
    personal: list[str] = Field(
        description="No attribute may have such a name or one that ends in it, however it is written"
    )
    harmless: list[str] = Field(description="Names that end in one of those and that attributes may have")
    watched: list[str] = Field(description="Attributes whose values may be implausible")
    duplicates_within_seconds: float
    """How far apart two requests may lie to be one."""


@router.get("/v1/validation", summary="The rules in force", responses=problem_responses(401, 422))
async def validation(context: ContextOf, _: CallerOf) -> ValidationView:
    book = context.validation.book
    return ValidationView(
        sha256=context.validation.sha256,
        loaded_at=context.validation.loaded_at,
        schemas=[_view(schema) for schema in book.schemas],
        personal=sorted(book.personal.names.values()),
        harmless=sorted(book.personal.harmless.values()),
        watched=sorted(book.plausibility.attributes),
        duplicates_within_seconds=book.duplicates.within.total_seconds(),
    )


def _view(schema: Schema) -> SchemaView:
    return SchemaView(
        name=schema.name,
        kinds=sorted(schema.kinds),
        product_lines=sorted(schema.product_lines),
        markets=sorted(schema.markets),
        rules=[RuleView(rule=rule.code, severity=rule.severity, message=rule.message) for rule in schema.rules],
    )
