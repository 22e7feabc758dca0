"""Runs files of deadline vectors (in the format of vectors/README.md) against the engine and its clocks.

``python -m tests.conformance.vectors FILE...`` prints each failure with both answers and ends ``N passed, N failed``.
"""
