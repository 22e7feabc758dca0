"""Wiring: arguments, files, server."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from punctual.local.issuer.accounts import AccountBook
from punctual.local.issuer.sessions import Sessions
from punctual.local.issuer.signing_keys import SigningKeys
from punctual.local.issuer.web import create_web
from shared.clock import real_now
from shared.errors import ConfigurationError
from shared.http import HttpServer
from shared.lifecycle import EXIT_CONFIGURATION, run_components
from shared.telemetry.logs import configure_logging, get_logger

_log = get_logger(__name__)


def main(arguments: list[str] | None = None) -> None:
    """Run until asked to stop. Exits 0 after a graceful stop, 78 when the port or a file cannot be used."""
    options = _parser().parse_args(arguments)
    configure_logging("issuer", "INFO")
    try:
        keys = SigningKeys(options.store / "signing_keys.json", real_now())
        if options.rotate_keys:
            keys.rotate(real_now())
            return
        if options.http_port is None:
            raise ConfigurationError("--http-port is needed")
        asyncio.run(_serve(options, keys))
    except ExceptionGroup as group:
        _give_up(*group.exceptions)
    except (ConfigurationError, OSError) as error:
        _give_up(error)


def _give_up(*errors: Exception) -> None:
    sys.stderr.write(f"punctual issuer: {'; '.join(str(error) for error in errors)}\n")
    sys.exit(EXIT_CONFIGURATION if all(isinstance(e, ConfigurationError | OSError) for e in errors) else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m punctual.local.issuer", description="Signs staff in with accounts from a file."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--http-port", type=int)
    parser.add_argument("--audience", default="punctual", help="of access tokens (default %(default)s)")
    parser.add_argument("--store", type=Path, required=True, help="folder with accounts, keys and sessions")
    parser.add_argument(
        "--rotate-keys", action="store_true", help="only make a new signing key, which the next start signs with"
    )
    return parser


async def _serve(options: argparse.Namespace, keys: SigningKeys) -> None:
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    web = create_web(
        f"http://{options.host}:{options.http_port}",
        options.audience,
        book=AccountBook.load(options.store / "accounts.json"),
        keys=keys,
        sessions=Sessions(options.store / "sessions.json"),
    )
    _log.info("started", port=options.http_port)
    await run_components([HttpServer(web, options.host, options.http_port)], stopping)
    _log.info("stopped")
