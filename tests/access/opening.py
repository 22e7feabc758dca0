"""Access to a service as it is shipped, for callers that a test invents."""

from __future__ import annotations

from pathlib import Path

from shared.http import KeyRing
from shared.http.access import Access, Identification, Matrix, load_matrix

ROOT = Path(__file__).parents[2]


def matrix_of(service: str) -> Matrix:
    """The matrix that the service ships."""
    return load_matrix(ROOT / "services" / service / "access.yml")


def access_by_keys(keys: KeyRing, service: str) -> Access:
    return Access(Identification(keys), matrix_of(service))
