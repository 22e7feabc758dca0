"""The HTTP API: clocks, what is due next, policies."""

from services.sla_timer.api.application import create_api
from services.sla_timer.api.context import Context

__all__ = ["Context", "create_api"]
