"""Which addresses may stand in an envelope and a header: exactly those that intake takes in."""

from __future__ import annotations

from shared.contracts.addresses import is_deliverable

__all__ = ["is_deliverable"]
