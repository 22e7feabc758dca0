"""The service's named statements."""

from __future__ import annotations

from shared.postgres import load_statements

STATEMENTS = load_statements(__package__)
