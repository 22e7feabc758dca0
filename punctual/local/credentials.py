"""Passwords and API keys of a local system, made once and kept in its home."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from punctual.local.folders import Folders, read_json, readable_errors, write_whole
from shared.ids import new_secret

CALLERS: Mapping[str, str] = {
    "app": "channel",
    "web": "channel",
    "hotline": "channel",
    "branch": "channel",
    "agent": "channel",
    "partner": "channel",
    "staff": "staff",
}
"""Caller and role."""

ACCOUNTS: Mapping[str, tuple[str, ...]] = {
    "handler": ("handler",),
    "team-leader": ("team_leader",),
    "quality-reviewer": ("quality_reviewer",),
    "manager": ("manager",),
    "administrator": ("administrator",),
    "auditor": ("auditor",),
}
"""Account of the embedded issuer and its roles: one for each role, named after it."""

TEAMS: Mapping[str, tuple[str, ...]] = {"handler": ("claim_team",), "team-leader": ("claim_team",)}
"""Account and its teams, as the demo assigns requests: the others see all requests anyway."""


@dataclass(frozen=True)
class Credentials:
    """All secrets in plain text.

    Attributes:
        admin_password: Postgres' administrator.
        role_passwords: service -> password of its login role.
        api_keys: caller -> key.
        sampling_secret: seeds quality_audit's draws.
        signature_secret: key of the signatures by which intake compares texts.
        accounts: account of the embedded issuer -> password.
        master_keys: encrypt the customers' keys; without them nobody can read the personal data that are stored.
    """

    admin_password: str
    role_passwords: Mapping[str, str]
    api_keys: Mapping[str, str]
    sampling_secret: str
    signature_secret: str
    accounts: Mapping[str, str]
    master_keys: str


def load_credentials(folders: Folders, services: Sequence[str]) -> Credentials:
    """Read them, make what is missing, and write the file of hashes that the services read."""
    kept = read_json(folders.secrets_file) or {}
    credentials = Credentials(
        admin_password=kept.get("admin_password") or _new_password(),
        role_passwords=_complete(kept.get("role_passwords"), services),
        api_keys=_complete(kept.get("api_keys"), CALLERS),
        sampling_secret=kept.get("sampling_secret") or _new_password(),
        signature_secret=kept.get("signature_secret") or _new_password(),
        accounts=_complete(kept.get("accounts"), ACCOUNTS),
        master_keys=kept.get("master_keys") or f"first:{_new_password()}",
    )
    with readable_errors():
        if kept != credentials.__dict__:
            write_whole(folders.secrets_file, json.dumps(credentials.__dict__, indent=1) + "\n", mode=0o600)
        write_whole(folders.keys_file, json.dumps(hashed_keys(credentials.api_keys), indent=1) + "\n")
    return credentials


def hashed_keys(api_keys: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    """What `shared.http.KeyRing` reads."""
    return {
        "keys": [
            {"name": name, "role": CALLERS[name], "sha256": hashlib.sha256(key.encode()).hexdigest()}
            for name, key in api_keys.items()
            if name in CALLERS
        ]
    }


def _complete(kept: Mapping[str, str] | None, names: Iterable[str]) -> dict[str, str]:
    known = dict(kept or {})
    return known | {name: _new_password() for name in names if name not in known}


def _new_password() -> str:
    """Letters, digits, - and _ only, so that it stands in a URL as it is."""
    return new_secret()
