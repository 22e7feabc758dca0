"""Readers of event logs. A reader yields rows and what it could not read, and never stops at a bad line."""

from punctual.replay.logs.opening import read_log
from punctual.replay.logs.rows import Entry, Malformed, Row

__all__ = ["Entry", "Malformed", "Row", "read_log"]
