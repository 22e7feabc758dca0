"""Instants that callers send: such as can be written in UTC, or refused as a wrong field."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.sla_timer.api.clocks import Filters
from services.sla_timer.api.drafts import PreviewDraft
from services.sla_timer.api.modes import Entering
from shared.contracts.payload import LATEST

FIELDS: list[tuple[type[BaseModel], str, dict[str, Any]]] = [
    (Filters, "due_before", {}),
    (PreviewDraft, "history_from", {}),
    (PreviewDraft, "history_to", {}),
    (Entering, "until_at", {"reason": "typhoon"}),
]


@pytest.mark.parametrize(("body", "field", "others"), FIELDS)
@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+08:00", "2026-11-22T09:30:00"])
def test_an_instant_that_no_store_takes_is_a_wrong_field(
    body: type[BaseModel], field: str, others: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        body.model_validate(others | {field: text})
    assert [error["loc"] for error in caught.value.errors()] == [(field,)]


@pytest.mark.parametrize(("body", "field", "others"), FIELDS)
def test_the_very_last_instant_comes_back_from_the_store(
    body: type[BaseModel], field: str, others: dict[str, Any]
) -> None:
    assert getattr(body.model_validate(others | {field: "9999-12-31T23:59:59.999999Z"}), field) == LATEST
