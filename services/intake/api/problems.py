"""Refusals of the domain as problem details, and the count of all refusals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import Counter
from pydantic_core import ErrorDetails

from services.intake.api.context import IDEMPOTENCY_KEY
from services.intake.domain.bounds import TooMuch
from services.intake.domain.deadlines import ObjectiveUnknown
from services.intake.domain.instants import InstantRefused
from services.intake.domain.refusing import MoveRefused
from services.intake.handlers.asking import ChangedMeanwhile, ProcessUnknown, RequestUnknown
from services.intake.handlers.customer_keys import CustomerErased
from services.intake.handlers.superseded import Superseded
from services.intake.handlers.validation import DataRefused
from shared.errors import Retryable
from shared.http import FieldError, Problem, unavailable
from shared.http.problems import few_errors, field_error

REFUSED = Counter("punctual_intake_refused_total", "Calls that were refused, by problem code.", ["code"])


def not_found(field: str | None = None) -> Problem:
    """Also for a request of another channel: that it exists is none of the caller's business.

    Args:
        field: of the body, when the reference stood there and not in the path.
    """
    named = [FieldError(field=field, message="no request that you may see has this reference")] if field else []
    return Problem(
        404, "request_not_found", "No such request", "No request that you may see has this reference.", named
    )


def mistyped(field: str | None = None) -> Problem:
    """Args:
    field: of the body, when the reference stood there and not in the path.
    """
    return Problem(
        404,
        "reference_mistyped",
        "The reference is mistyped",
        "Its check character does not fit; compare it with the confirmation, such as K7M4Q-2XD9C.",
        [FieldError(field=field, message="its check character does not fit")] if field else [],
    )


def wrong_field(field: str, message: str) -> Problem:
    """One that no model looks at, worded like those that models refuse."""
    errors = [FieldError(field=field, message=message)]
    return Problem(422, "invalid_fields", "Some fields are missing or wrong", errors=errors)


def fields_problem(errors: Sequence[ErrorDetails]) -> Problem:
    """What a model found wrong about a body that was read as it is, without the framework."""
    wrong = few_errors(errors, lambda one: field_error({"loc": ("body", *one["loc"]), "msg": one["msg"]}))
    return Problem(422, "invalid_fields", "Some fields are missing or wrong", errors=wrong)


def move_problem(refused: MoveRefused) -> Problem:
    allowed = ", ".join(refused.allowed) or "none"
    errors = [FieldError(field=missing.replace(":", ".", 1), message="is missing") for missing in refused.missing]
    if refused.field is not None and not errors:
        errors = [FieldError(field=refused.field, message=f"allowed: {allowed}")]
    return Problem(409, refused.code, "The process does not allow this move", refused.detail, errors)


def changed_meanwhile(version: int) -> Problem:
    return Problem(
        412,
        "changed_meanwhile",
        "The request was changed meanwhile",
        f"It has version {version} now. Look at it again, and send the move with If-Match for what you saw.",
        [FieldError(field="header:If-Match", message=f"the version is {version}")],
        headers={"ETag": f'"{version}"'},
    )


def superseded(found: Superseded) -> Problem:
    now = "none is in force" if found.version is None else f"version {found.version} is in force"
    return Problem(
        412,
        "superseded",
        "Another version is in force by now",
        f"What was in force stays: {now}. Look at it again, and send yours with If-Match for what you saw.",
        [FieldError(field="header:If-Match", message=now)],
        headers={} if found.version is None else {"ETag": f'"{found.version}"'},
    )


def instant_problem(refused: InstantRefused) -> Problem:
    return Problem(
        422,
        "occurred_at_impossible",
        "The instant cannot be true",
        f"occurred_at {refused}.",
        [FieldError(field="occurred_at", message=str(refused))],
    )


def objective_problem(unknown: ObjectiveUnknown) -> Problem:
    return Problem(
        422,
        "objective_unknown",
        "No clock of the request is for this objective",
        f"{unknown}. A clock that has just been started is known a moment later.",
        [FieldError(field="objective", message=f"known: {', '.join(unknown.known)}")],
    )


def data_problem(refused: DataRefused) -> Problem:
    return Problem(
        422,
        "data_refused",
        "Some fields say what cannot be true",
        "Nothing was stored. Correct the fields and send the call again; the same Idempotency-Key will do.",
        [FieldError(field=finding.field, message=finding.message) for finding in refused.findings],
    )


def key_required() -> Problem:
    return Problem(
        400,
        "idempotency_key_required",
        "An idempotency key is required",
        f"Send a header {IDEMPOTENCY_KEY} of 1 to 255 visible ASCII characters; a repeat of a call carries the same.",
        [FieldError(field=f"header:{IDEMPOTENCY_KEY}", message="missing or malformed")],
    )


def key_in_flight(retry_after_seconds: int) -> Problem:
    return Problem(
        409,
        "idempotency_key_in_flight",
        "Another call with this idempotency key is being worked on",
        "Send it again in a moment to get its answer.",
        headers={"Retry-After": str(retry_after_seconds)},
    )


def key_reused(field: str = f"header:{IDEMPOTENCY_KEY}") -> Problem:
    """Args:
    field: where the key stood.
    """
    return Problem(
        422,
        "idempotency_key_reused",
        "The idempotency key was used for another call",
        "A key stands for one method, path and body; take a new one for a new call.",
        [FieldError(field=field, message="used before with another call")],
    )


def process_unknown(detail: str) -> Problem:
    return Problem(404, "process_not_found", "No such process", f"{detail}.")


def customer_erased() -> Problem:
    return Problem(
        409,
        "customer_erased",
        "The customer's data were erased",
        "Nothing that people write can be kept about this customer any more. A new request begins anew.",
    )


@contextmanager
def translating_refusals() -> Iterator[None]:
    """Turn what the use cases refuse into problems."""
    try:
        yield
    except RequestUnknown:
        raise not_found() from None
    except ProcessUnknown as unknown:
        raise process_unknown(str(unknown)) from None
    except ChangedMeanwhile as changed:
        raise changed_meanwhile(changed.version) from None
    except InstantRefused as refused:
        raise instant_problem(refused) from None
    except ObjectiveUnknown as unknown_objective:
        raise objective_problem(unknown_objective) from None
    except MoveRefused as refused:
        raise move_problem(refused) from None
    except TooMuch as too_much:
        raise wrong_field(too_much.field, str(too_much)) from None
    except DataRefused as refused:
        raise data_problem(refused) from None
    except CustomerErased:
        raise customer_erased() from None


def overloaded(retry_after_seconds: int) -> Problem:
    return Problem(
        503,
        "overloaded",
        "More requests wait to be taken in, or for longer, than the service lets them",
        "Nothing of this call was stored. Send it again with the same Idempotency-Key.",
        headers={"Retry-After": str(retry_after_seconds)},
    )


def stopping(retry_after_seconds: int) -> Problem:
    return Problem(
        503,
        "stopping",
        "The service is being stopped and takes no more lines",
        "What was answered with 201 is safe. Send the rest again when it is back.",
        headers={"Retry-After": str(retry_after_seconds)},
    )


def answer_problem(problem: Problem) -> Response:
    """Counts it, too."""
    REFUSED.labels(problem.code).inc()
    return problem.response()


def count_refusals(app: FastAPI) -> None:
    """Count what the handlers of ``create_app`` answer, and say when to come again as the settings have it."""
    invalid = app.exception_handlers[RequestValidationError]

    @app.exception_handler(Problem)
    async def _problem(_: Request, problem: Problem) -> Response:
        return answer_problem(problem)

    @app.exception_handler(Retryable)
    async def _unavailable(request: Request, error: Retryable) -> Response:
        return unavailable(error, request.app.state.context.retry_after_seconds).response()

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        if any(tuple(wrong["loc"]) == ("header", IDEMPOTENCY_KEY) for wrong in error.errors()):
            return await _problem(request, key_required())
        REFUSED.labels("invalid_fields").inc()
        response = invalid(request, error)
        return response if isinstance(response, Response) else await response
