"""The HTTP API: what was told to whom, how much waits, what is held on a customer."""

from services.notifier.api.application import create_api

__all__ = ["create_api"]
