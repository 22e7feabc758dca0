"""Wiring: arguments, journal, mailbox, SMTP and web side by side."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from punctual.local.mailcatcher.journal import Journal
from punctual.local.mailcatcher.mailbox import Mailbox
from punctual.local.mailcatcher.smtp import SmtpServer
from punctual.local.mailcatcher.web import create_web
from shared.errors import ConfigurationError
from shared.http import HttpServer
from shared.lifecycle import EXIT_CONFIGURATION, run_components
from shared.telemetry.logs import configure_logging, get_logger

_log = get_logger(__name__)


def main(arguments: list[str] | None = None) -> None:
    """Run until asked to stop. Exits 0 after a graceful stop, 78 when a port or the folder cannot be used."""
    options = _parser().parse_args(arguments)
    configure_logging("mail", "INFO")
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd logs every command, with its addresses
    try:
        asyncio.run(_serve(options.host, options.smtp_port, options.http_port, options.store))
    except ExceptionGroup as group:
        _give_up(*group.exceptions)
    except (ConfigurationError, OSError) as error:
        _give_up(error)


def _give_up(*errors: Exception) -> None:
    sys.stderr.write(f"punctual mail: {'; '.join(str(error) for error in errors)}\n")
    sys.exit(EXIT_CONFIGURATION if all(isinstance(e, ConfigurationError | OSError) for e in errors) else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m punctual.local.mailcatcher", description="Keeps the mails it is given and shows them."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--store", type=Path, required=True, help="folder that keeps the mails")
    return parser


async def _serve(host: str, smtp_port: int, http_port: int, store: Path) -> None:
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    journal = Journal(store / "mails.journal")
    try:
        mailbox = Mailbox(journal)
        _log.info("started", smtp_port=smtp_port, port=http_port, mails=mailbox.count)
        smtp = SmtpServer(mailbox, host, smtp_port)
        await run_components([smtp, HttpServer(create_web(mailbox), host, http_port)], stopping)
    finally:
        journal.close()
    _log.info("stopped")
