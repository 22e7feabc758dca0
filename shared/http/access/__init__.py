"""Who calls, and what he may: API keys, tokens of an OpenID Connect issuer, and a matrix of routes and roles.

``principal``, ``matrix``, ``keyset``, ``tokens`` and ``claims`` are pure.
"""

from shared.http.access.claims import ClaimNames, is_name
from shared.http.access.guard import Access, GuardedRoute, PrincipalOf
from shared.http.access.identity import Identification, TrustedIssuer
from shared.http.access.issuer import IssuerKeys
from shared.http.access.matrix import Matrix, read_matrix
from shared.http.access.opening import load_matrix, open_access
from shared.http.access.principal import OVERSEERS, KeyTerms, Principal, Scope, StaffRole

__all__ = [
    "OVERSEERS",
    "Access",
    "ClaimNames",
    "GuardedRoute",
    "Identification",
    "IssuerKeys",
    "KeyTerms",
    "Matrix",
    "Principal",
    "PrincipalOf",
    "Scope",
    "StaffRole",
    "TrustedIssuer",
    "is_name",
    "load_matrix",
    "open_access",
    "read_matrix",
]
