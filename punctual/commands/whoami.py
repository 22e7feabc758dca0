"""``punctual whoami``: in whose name the commands for staff call."""

from __future__ import annotations

from typing import Any

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.staff.options import KeyOption, UrlOption


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("whoami", epilog="Example: punctual whoami")(whoami)


def whoami(url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Show as whom the commands for staff call, and at which address. What a token says is shown, not checked."""
    from punctual.staff.identity import claims_in, find_identity

    identity = find_identity(url, key)
    shown: dict[str, Any] = {"address": identity.address, "by": identity.source}
    if identity.sign_in is not None:
        claims = claims_in(identity.secret)
        shown |= {
            "name": claims.get("preferred_username") or claims.get("sub"),
            "roles": claims.get("roles"),
            "teams": claims.get("teams"),
            "issuer": identity.sign_in.issuer,
            "token_expires_at": identity.sign_in.expires_at.isoformat(),
        }
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        typer.echo(f"{name.replace('_', ' '):<18}{text or '-'}")
