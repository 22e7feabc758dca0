"""``punctual login``: sign in at the house's issuer, for the commands that talk to a service."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.staff.options import UrlOption

_WAIT_SECONDS = 300.0  # somebody looks for the password and the second factor


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("login", epilog="Example: punctual login --url https://sla.insurer.example")(login)


def login(
    url: UrlOption = None,
    issuer: Annotated[
        str | None, typer.Option(help="The issuer's URL; PUNCTUAL_OIDC_ISSUER, else the running local system's.")
    ] = None,
    client_id: Annotated[str, typer.Option(help="As what the issuer knows this program.")] = "punctual-cli",
    scope: Annotated[str, typer.Option(help="What is asked for, as the issuer wants it.")] = "openid offline_access",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open none, only print the address.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Sign in. Prints an address to open in a browser; opens it by itself in a terminal."""
    from punctual.staff.identity import claims_in, find_service
    from punctual.staff.issuer import Issuer
    from punctual.staff.loopback import Loopback
    from punctual.staff.sign_ins import SignInFile
    from shared.clock import real_now
    from shared.errors import ConfigurationError
    from shared.settings import PlatformSettings, load_settings

    service = find_service(url)
    where = issuer or load_settings(PlatformSettings).oidc_issuer or service.local_issuer
    if where is None:
        raise ConfigurationError(f"at which issuer does one sign in for {service.address}? Name it with --issuer")
    asked_at = Issuer(where, client_id)
    with Loopback() as loopback:
        asked = asked_at.ask(loopback.redirect_uri, scope)
        typer.echo(f"Sign in at:\n  {asked.url}", err=True)
        if sys.stdout.isatty() and not no_browser:
            import webbrowser

            webbrowser.open(asked.url)
        code = loopback.wait(asked, where, _WAIT_SECONDS)
    sign_in = asked_at.redeem(code, asked, real_now())
    file = SignInFile.of_the_user()
    with file.alone():
        file.put(service.address, sign_in)
    claims = claims_in(sign_in.access_token)
    name = claims.get("preferred_username") or claims.get("sub")
    if as_json:
        print_json({"address": service.address, "issuer": where, "name": name})
    else:
        typer.echo(f"Signed in for {service.address} as {name or 'somebody whose token is opaque'}.")
