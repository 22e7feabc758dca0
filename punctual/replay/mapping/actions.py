"""What an activity of the log does here."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from shared.contracts.payload import Code

Verb = Literal["submit", "stage", "respond", "pause", "resume", "close", "ignore"]

_WITHOUT_OBJECT = ("submit", "respond", "ignore")
_WITH_OBJECT = ("stage", "pause", "resume", "close")
_MORE = {"reason", "take"}


class Action(BaseModel):
    """``submit``, ``respond``, ``ignore``, ``stage: X``, ``pause: REASON``, ``resume: REASON`` or ``close: OUTCOME``.

    Attributes:
        reason: of a closing, where the process asks for one.
        take: which occurrences of the activity in a case count; the others are ignored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    submit: None = None
    respond: None = None
    ignore: None = None
    stage: Code | None = None
    pause: Code | None = None
    resume: Code | None = None
    close: Code | None = None
    reason: Code | None = None
    take: Literal["every", "first", "last"] = "every"

    @model_validator(mode="after")
    def _does_one_thing(self) -> Action:
        given = self.model_fields_set - _MORE
        if len(given) != 1:
            raise ValueError(f"exactly one of {', '.join((*_WITHOUT_OBJECT, *_WITH_OBJECT))} is needed")
        if self.reason is not None and self.close is None:
            raise ValueError("only `close` takes a reason")
        return self

    @cached_property
    def verb(self) -> Verb:
        (verb,) = self.model_fields_set - _MORE
        return verb  # type: ignore[return-value]  # the validator saw to it

    @property
    def object(self) -> str:
        """The stage, reason or outcome; nothing for the verbs that need none."""
        return str(getattr(self, self.verb) or "")

    @property
    def words(self) -> str:
        """For reports, such as ``stage assessment``."""
        return f"{self.verb} {self.object}".strip()


def _as_mapping(value: Any) -> Any:
    """``respond`` is short for ``{respond: }``."""
    if isinstance(value, str):
        if value in _WITHOUT_OBJECT:
            return {value: None}
        raise ValueError(
            f"{value!r} alone is no action; write {', '.join(_WITHOUT_OBJECT)} or e.g. {{stage: assessment}}"
        )
    if isinstance(value, dict):
        return {key: None if key in _WITHOUT_OBJECT else item for key, item in value.items()}
    return value


def _as_list(value: Any) -> Any:
    """One action is short for a list of one."""
    return value if isinstance(value, list) else [value]


OneAction = Annotated[Action, BeforeValidator(_as_mapping)]
Actions = Annotated[tuple[OneAction, ...], BeforeValidator(_as_list)]

IGNORE = Action(ignore=None)
SUBMIT = Action(submit=None)
