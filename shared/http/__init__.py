"""HTTP: applications, problem details, API keys, the server."""

from shared.http.app import create_app
from shared.http.connection import abort_connection
from shared.http.keys import Caller, KeyRing, hash_key
from shared.http.problems import (
    PROBLEM_SCHEMA,
    FieldError,
    Problem,
    ProblemBody,
    failure,
    problem_responses,
    unavailable,
)
from shared.http.server import HttpServer

__all__ = [
    "PROBLEM_SCHEMA",
    "Caller",
    "FieldError",
    "HttpServer",
    "KeyRing",
    "Problem",
    "ProblemBody",
    "abort_connection",
    "create_app",
    "failure",
    "hash_key",
    "problem_responses",
    "unavailable",
]
