"""``punctual logout``: forget a sign-in."""

from __future__ import annotations

import typer

from punctual.commands.options import JsonOption, print_json
from punctual.staff.options import UrlOption


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("logout", epilog="Example: punctual logout")(logout)


def logout(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Forget the sign-in here, and withdraw it at the issuer where that is possible."""
    from punctual.staff.identity import find_service
    from punctual.staff.issuer import Issuer
    from punctual.staff.sign_ins import SignInFile
    from shared.errors import PunctualError

    address = find_service(url).address
    file = SignInFile.of_the_user()
    with file.alone():
        removed = file.remove(address)
    is_withdrawn = False
    if removed is not None and removed.refresh_token is not None:
        try:
            is_withdrawn = Issuer(removed.issuer, removed.client_id).withdraw(removed.refresh_token)
        except PunctualError as error:
            typer.echo(f"The issuer could not be told: {error}", err=True)
    if as_json:
        print_json({"address": address, "was_signed_in": removed is not None, "is_withdrawn": is_withdrawn})
    else:
        typer.echo(f"Signed out of {address}." if removed is not None else f"Nobody was signed in for {address}.")
