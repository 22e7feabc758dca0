"""Opens access from the settings and the service's matrix: everything that can be wrong is found here."""

from __future__ import annotations

from pathlib import Path

from shared.clock import real_now
from shared.errors import ConfigurationError
from shared.http.access.claims import ClaimNames, role_names_of
from shared.http.access.guard import Access
from shared.http.access.identity import FindKey, Identification, TrustedIssuer
from shared.http.access.issuer import IssuerKeys
from shared.http.access.matrix import Matrix, read_matrix
from shared.http.keys import KeyRing
from shared.settings import PlatformSettings


def open_access(
    platform: PlatformSettings, matrix_file: Path, find_key: FindKey | None = None, *, retry_after_seconds: int = 5
) -> Access:
    """Keys, the issuer if one is set, and who may what.

    Args:
        find_key: for a service that keeps keys beside those of the file.
        retry_after_seconds: what is told while the issuer cannot be reached.

    Raises:
        ConfigurationError: names the file or the variable that cannot be used.
    """
    issuer = trusted_issuer(platform)
    keys = KeyRing([]) if platform.api_keys_file is None and issuer else KeyRing.load(platform.api_keys_file)
    return Access(Identification(keys, issuer, real_now, find_key, retry_after_seconds), load_matrix(matrix_file))


def trusted_issuer(platform: PlatformSettings) -> TrustedIssuer | None:
    """The issuer that the environment names. Its keys are fetched when the first token comes."""
    if platform.oidc_issuer is None:
        return None
    names = ClaimNames(
        roles=platform.oidc_roles_claim,
        teams=platform.oidc_teams_claim,
        name=platform.oidc_name_claim,
        role_names=role_names_of(platform.oidc_role_names),
    )
    return TrustedIssuer(platform.oidc_issuer, platform.oidc_audience, names, IssuerKeys(platform.oidc_issuer))


def load_matrix(file: Path) -> Matrix:
    """Raises ConfigurationError: the file cannot be read, or names file, line and field of every mistake."""
    try:
        return read_matrix(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file}: is not UTF-8 text") from None
