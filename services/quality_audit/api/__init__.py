"""The HTTP API: samples and their reviews, scores, the proof of the sample."""

from services.quality_audit.api.application import create_api

__all__ = ["create_api"]
