# ruff: noqa: INP001  a program, no module of a package
"""Makes the passwords and API keys that docker-compose.yml needs: ``python3 deploy/docker/new_secrets.py``.

Standard library only; writes to ``.punctual/docker/``, which git ignores:

    compose.env   passwords of Postgres, secrets of services and the master key, for `docker compose --env-file`
    keys.json     names, roles and hashes of the API keys, what the services read
    keys.txt      the API keys themselves, for those who call

Existing files are left alone: the database was made with their passwords.
"""

import hashlib
import json
import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".punctual" / "docker"

VARIABLES = (
    "POSTGRES_ADMIN_PASSWORD",
    "INTAKE_PASSWORD",
    "SLA_TIMER_PASSWORD",
    "NOTIFIER_PASSWORD",
    "QUALITY_AUDIT_PASSWORD",
    "QUALITY_AUDIT_SAMPLING_SECRET",
    "INTAKE_SIGNATURE_SECRET",
)

CALLERS = {"app": "channel", "web": "channel", "hotline": "channel", "branch": "channel", "staff": "staff"}


def main(folder: Path) -> int:
    if (folder / "compose.env").exists():
        sys.stdout.write(f"{folder} already has secrets; they stay as they are\n")
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    keys = {name: secrets.token_urlsafe(32) for name in CALLERS}
    hashes = [
        {"name": name, "role": CALLERS[name], "sha256": hashlib.sha256(key.encode()).hexdigest()}
        for name, key in keys.items()
    ]
    # The hashes are read inside the containers by another account.
    write(folder / "keys.json", json.dumps({"keys": hashes}, indent=2) + "\n", 0o644)
    write(folder / "keys.txt", "".join(f"{name} {key}\n" for name, key in keys.items()), 0o600)
    # Last, because its presence says that all is there. Hexadecimal: it goes into URLs.
    lines = [f"{name}={secrets.token_hex(24)}\n" for name in VARIABLES]
    write(folder / "compose.env", "".join([*lines, f"MASTER_KEYS=first:{secrets.token_urlsafe(32)}\n"]), 0o600)
    sys.stdout.write(f"wrote {folder}/compose.env, keys.json and keys.txt\n")
    return 0


def write(file: Path, text: str, mode: int) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as out:
        os.fchmod(out.fileno(), mode)
        out.write(text)


if __name__ == "__main__":
    sys.exit(main(FOLDER))
