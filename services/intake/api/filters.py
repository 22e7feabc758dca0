"""The query of a list of requests, checked field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, StringConstraints, WithJsonSchema

from services.intake.api.bodies import Line, read_instant
from services.intake.api.problems import wrong_field
from services.intake.api.references import read_filter
from services.intake.domain.deadlines import RESOLUTION
from services.intake.domain.life import State
from services.intake.domain.visibility import Visibility
from services.intake.store.listing.wanted import Order, Wanted
from shared.contracts.payload import Code, Market, Priority, RequestKind


def _instant(value: Any) -> datetime:
    """In an address a plus that nobody escaped is a space."""
    return read_instant(value.replace(" ", "+") if isinstance(value, str) else value)


Instant = Annotated[datetime, PlainValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]


class Filters(BaseModel):
    """All of them have to hold. Another name is refused, so that a misspelt one does not show everything."""

    model_config = ConfigDict(extra="forbid")

    kind: RequestKind | None = None
    state: State | None = None
    over: bool | None = Field(None, description="true: closed, cancelled or merged; false: open or paused")
    stage: Code | None = Field(None, examples=["assessment"])
    team: Code | None = Field(None, examples=["claims_hk"])
    handler: Code | None = Field(None, examples=["s-104"])
    channel: Code | None = None
    market: Market | None = None
    priority: Priority | None = None
    process: Code | None = Field(None, examples=["claim_motor"])
    product_line: Code | None = Field(None, examples=["motor"])
    customer: Line | None = Field(
        None, description="The channel's own id of its customer; staff name the `channel` with it"
    )
    external_id: Line | None = Field(None, description="The channel's own id of the request", examples=["APP-7781"])
    reference: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        None, description="Case, spaces and dashes do not matter", examples=["K7M4Q-2XD9C"]
    )
    submitted_from: Instant | None = Field(None, description="Submitted at this instant or later")
    submitted_to: Instant | None = Field(None, description="Submitted before this instant")
    due_after: Instant | None = Field(None, description="With a deadline at this instant or later")
    due_before: Instant | None = Field(
        None, description="With a deadline before this instant; overdue ones are among them"
    )
    objective: Code = Field(RESOLUTION, description="Whose deadline is meant, here and by `due_at`")
    changed_since: Instant | None = Field(None, description="Whose last change was recorded at this instant or later")
    sort: Order | None = Field(
        None,
        description=(
            "`newest` or `oldest`: by when they were taken in, or by when they were submitted if the filters say so;"
            " `due`: the earliest deadline first, only where a clock runs or has run over; `changed`: the oldest change"
            " first. Left out, it is `due` with a filter by deadline, `changed` with `changed_since`,"
            " otherwise `newest`"
        ),
    )
    q: Line | None = Field(
        None,
        description=(
            "A reference, an external id or its beginning, a customer's id, a handler, a word of a team, stage, process"
            " or product line: the newest of what may be meant, one page. 422 if nothing is found and it looks like a"
            " mistyped reference. Goes with filters, not with `sort`, `after`, `count`"
        ),
        examples=["motor"],
    )
    limit: int = Field(50, ge=1, le=200, description="The most lines of a page")
    after: str | None = Field(None, max_length=200, description="`next` of the page before")
    count: bool = Field(False, description="Add how many there are: exact up to 10,000")


def read_wanted(filters: Filters, visibility: Visibility) -> Wanted:
    """
    Args:
        visibility: which requests the caller sees.

    Raises:
        Problem: 422, filters that cannot stand together or cannot be meant.
    """
    reference = None if filters.reference is None else read_filter(filters.reference)
    if filters.q is not None:
        for name in ("sort", "after", "count"):
            if name in filters.model_fields_set:
                raise wrong_field(f"query:{name}", "does not go together with q, which finds one page")
    if filters.customer is not None and visibility.channel is None and filters.channel is None:
        raise wrong_field("query:customer", "each channel has its own ids: name the channel too")
    return Wanted(
        visibility=visibility,
        reference=reference,
        external_id=filters.external_id,
        customer=filters.customer,
        channel=filters.channel,
        kind=filters.kind,
        state=filters.state,
        is_over=filters.over,
        stage=filters.stage,
        team=filters.team,
        handler=filters.handler,
        market=filters.market,
        priority=filters.priority,
        process=filters.process,
        product_line=filters.product_line,
        submitted_from=filters.submitted_from,
        submitted_to=filters.submitted_to,
        due_after=filters.due_after,
        due_before=filters.due_before,
        changed_since=filters.changed_since,
        objective=filters.objective,
        order=filters.sort or (_usual_order(filters) if filters.q is None else Order.NEWEST),
    )


def _usual_order(filters: Filters) -> Order:
    if filters.due_after is not None or filters.due_before is not None:
        return Order.DUE
    return Order.NEWEST if filters.changed_since is None else Order.CHANGED
