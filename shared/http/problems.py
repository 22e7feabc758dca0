"""Errors over HTTP: problem details as RFC 9457 defines them, with a list of wrong fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from shared.errors import Retryable
from shared.telemetry.context import current_trace
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

T = TypeVar("T")

MOST_ERRORS = 50
"""Told of one call. Nobody mends more by hand, and a body of a megabyte can have a hundred thousand."""

_LONGEST_FIELD = 120  # characters; a body may name a field as it likes, and an answer repeats it


class FieldError(BaseModel):
    """Attributes:
    field: dotted path into the body, or ``header:<name>``, ``query:<name>``, ``path:<name>``.
    message: what is wrong with it.
    """

    field: str
    message: str


class ProblemBody(BaseModel):
    """The body of every error answer."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldError] = []
    correlation_id: str


class Problem(Exception):
    """Raise it anywhere below an endpoint; the answer is problem+json.

    Args:
        code: stable, snake_case; the type is ``urn:punctual:problem:<code>``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        body = ProblemBody(
            type=f"urn:punctual:problem:{self.code}",
            title=self.title,
            status=self.status,
            detail=self.detail,
            errors=self.errors,
            correlation_id=current_trace().correlation_id,
        )
        return body.model_dump(exclude_none=True)

    def response(self) -> JSONResponse:
        return JSONResponse(self.document(), status_code=self.status, headers=self.headers, media_type=MEDIA_TYPE)


def few_errors(found: Sequence[T], word: Callable[[T], FieldError], where: str = "body") -> list[FieldError]:
    """The first of them in words, and then how many more there are.

    Args:
        where: the field that the last one names.
    """
    told = [word(one) for one in found[:MOST_ERRORS]]
    if len(found) > MOST_ERRORS:
        told.append(FieldError(field=where, message=f"and {len(found) - MOST_ERRORS} more are missing or wrong"))
    return told


def field_error(wrong: Mapping[str, Any]) -> FieldError:
    """
    Args:
        wrong: what pydantic says of a field, the place as the framework gives it: "body", or another part of the call,
            comes first.
    """
    return FieldError(field=_path(wrong["loc"]), message=wrong["msg"].removeprefix("Value error, "))


PROBLEM_SCHEMA = ProblemBody.model_json_schema()
"""Of the body of every error answer, for descriptions."""

# A reference would be looked up in the OpenAPI document, where nobody put it.
PROBLEM_SCHEMA["properties"]["errors"]["items"] = PROBLEM_SCHEMA.pop("$defs")["FieldError"]


_COMES_AGAIN = frozenset({429, 503})
_WAIT = {
    "Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds until it may fare better"}
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of an endpoint's OpenAPI description for these error statuses.

    A body that may be too large (413) may also be too slow (408). What may fare better later says when.
    """
    return {
        status: {
            "description": _phrase(status),
            **({"headers": _WAIT} if status in _COMES_AGAIN else {}),
            "content": {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA}},
        }
        for status in sorted({*statuses, 408} if 413 in statuses else statuses)  # noqa: PLR2004  named above
    }


def install_problem_handlers(app: FastAPI) -> None:
    """Turn every error of the app into problem+json."""

    @app.exception_handler(Problem)
    async def _problem(_: Request, problem: Problem) -> JSONResponse:
        return problem.response()

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = error.errors()
        if any(e["type"] == "json_invalid" for e in errors):
            at = errors[0]["loc"][-1]
            return Problem(400, "broken_json", "The body is not JSON", f"Reading stopped at character {at}.").response()
        return Problem(
            422,
            "invalid_fields",
            "Some fields are missing or wrong",
            errors=few_errors(errors, field_error),
        ).response()

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            error.headers = {"Allow": ", ".join(sorted(_methods_at(request)))}
        return http_problem(error)

    @app.exception_handler(Retryable)
    async def _unavailable(_: Request, error: Retryable) -> JSONResponse:
        return unavailable(error).response()


def unavailable(error: Retryable, retry_after_seconds: int = 1) -> Problem:
    """What is told of work that can be repeated as it is."""
    _log.warning("answered 503", error=type(error).__name__)
    return Problem(
        503,
        "try_again",
        "The service cannot take this now",
        "Send the same request again with the same Idempotency-Key.",
        headers={"Retry-After": str(retry_after_seconds)},
    )


def http_problem(error: HTTPException) -> JSONResponse:
    """The framework's own refusals (404, 405, 413, ...) in the same form."""
    phrase = _phrase(error.status_code)
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    detail = error.detail if error.detail != phrase else None
    return Problem(error.status_code, code, phrase, detail, headers=error.headers).response()


def _phrase(status: int) -> str:
    """What RFC 9110 calls it. Pythons before 3.13 say otherwise, and a problem's code must not depend on that."""
    return {413: "Content Too Large", 422: "Unprocessable Content"}.get(status) or HTTPStatus(status).phrase


def failure(error: BaseException) -> Problem:
    """What is told of a failure nobody foresaw; the log has the trace, the answer only the correlation id."""
    _log.error("unexpected error", exc_info=error)
    return Problem(500, "internal_error", "Something went wrong on our side")


def _methods_at(request: Request) -> set[str]:
    """What may be done at a path. The framework names the methods of one of its routes only."""
    path = request.scope["path"]
    routes = [route for route in iter_route_contexts(request.app.routes) if route.methods is not None]
    return {method for route in routes if route.path_regex.match(path) for method in route.methods or ()}


def _path(location: Sequence[Any]) -> str:
    where, *rest = [str(part).encode("utf-8", "backslashreplace").decode() for part in location]
    path = ".".join(rest)
    if len(path) > _LONGEST_FIELD:
        path = f"{path[:_LONGEST_FIELD]}..."
    if where == "body":
        return path or "body"
    return f"{where}:{path}"
