"""Logs, trace context and metrics. None of them ever holds personal data."""
