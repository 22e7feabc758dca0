"""Postgres: one database, one schema and one login role per service."""

from shared.postgres.database import Connection, Database, Record, savepoint
from shared.postgres.statements import Statement, load_statements

__all__ = ["Connection", "Database", "Record", "Statement", "load_statements", "savepoint"]
