"""Services as processes that are meant to end by themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from shared.http import hash_key

ROOT = Path(__file__).parents[3]
_SECONDS = 60.0  # a start takes two or three, on a machine with other work ten times as much

_NEEDED = {
    "PUNCTUAL_MASTER_KEYS": f"first:{'A' * 43}=",
    "PUNCTUAL_KAFKA_BOOTSTRAP": "127.0.0.1:1",  # nobody
    "PUNCTUAL_INTAKE_SIGNATURE_SECRET": "0123456789abcdef" * 2,
    "PUNCTUAL_QUALITY_AUDIT_SAMPLING_SECRET": "0123456789abcdef" * 2,
}


def end_of(service: str, database_url: str, folder: Path) -> tuple[int, str]:
    """Starts a service; gives its exit code and all that it wrote.

    Args:
        folder: for its keys.
    """
    keys = folder / "api-keys.json"
    keys.write_text(json.dumps({"keys": [{"name": "staff", "role": "staff", "sha256": hash_key("x")}]}))
    others = {name: value for name, value in os.environ.items() if not name.startswith("PUNCTUAL_")}
    given = {
        f"PUNCTUAL_{service.upper()}_DATABASE_URL": database_url,
        "PUNCTUAL_API_KEYS_FILE": str(keys),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        cwd=ROOT,
        env=others | _NEEDED | given,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
