"""The customer's status as data, for apps that draw it themselves. It says what the page says and no more."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from services.intake.api.page import (
    StatusPage,
    missing_documents,
    tell_expected,
    tell_feedback,
    tell_now,
    tell_steps,
)
from services.intake.domain.deadlines import expected_at, overdue_since
from services.intake.domain.life import State
from services.intake.domain.process import Process
from services.intake.domain.record import RequestRecord
from services.intake.domain.survey import given_score, is_asked
from shared.contracts.payload import Language, RequestKind


class StepView(BaseModel):
    text: str
    at: datetime


class StatusView(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "K7M4Q-2XD9C",
                    "kind": "claim",
                    "kind_text": "Claim",
                    "state": "open",
                    "language": "en",
                    "now": ["We are assessing your claim.", "There is nothing you need to do."],
                    "documents_missing": [],
                    "expected_at": "2026-11-27T09:00:00Z",
                    "overdue_since": None,
                    "expected_text": "We expect to finish by 27 November 2026, 17:00.",
                    "steps": [{"text": "Received", "at": "2026-11-22T01:30:00Z"}],
                    "asks_for_feedback": False,
                    "score": None,
                    "feedback_text": None,
                }
            ]
        }
    )

    reference: str
    kind: RequestKind
    kind_text: str
    state: State
    language: Language = Field(description="Of all texts")
    now: list[str] = Field(description="Where it stands and what is waited for, a sentence each")
    documents_missing: list[str] = Field(description="Codes of what the customer was asked for and has not sent")
    expected_at: datetime | None
    overdue_since: datetime | None = Field(description="The expected time that passed while the work goes on")
    expected_text: str
    steps: list[StepView]
    asks_for_feedback: bool = Field(description="Whether it can be said now how it went, and was not yet")
    score: int | None = Field(description="What the customer gave since the closing, 1 to 5; 5 is best")
    feedback_text: str | None = Field(description="The sentence that says so")


def view_status(page: StatusPage, record: RequestRecord, process: Process, language: Language) -> StatusView:
    words = page.words[language]
    life = record.life
    return StatusView(
        reference=record.reference,
        kind=life.kind,
        kind_text=words.kinds[life.kind],
        state=life.state,
        language=language,
        now=tell_now(record, process, words),
        documents_missing=missing_documents(record),
        expected_at=None if life.is_over else expected_at(record.deadlines),
        overdue_since=None if life.is_over else overdue_since(record.deadlines),
        expected_text=tell_expected(record, words),
        steps=[StepView(text=text, at=at) for text, at in tell_steps(record, process, words)],
        asks_for_feedback=is_asked(record),
        score=given_score(record),
        feedback_text=tell_feedback(record, words),
    )
