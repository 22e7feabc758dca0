"""Postgres: one database, one schema and one login role per service."""

from shared.postgres.clock_check import ClockCheck, ClocksDisagree
from shared.postgres.database import Connection, Database, Record, savepoint
from shared.postgres.schema import check_schema
from shared.postgres.statements import Statement, load_statements

__all__ = [
    "ClockCheck",
    "ClocksDisagree",
    "Connection",
    "Database",
    "Record",
    "Statement",
    "check_schema",
    "load_statements",
    "savepoint",
]
