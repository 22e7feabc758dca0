"""Requests are taken in, many in one transaction."""
