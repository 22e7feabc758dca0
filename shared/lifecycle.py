"""Start, run and stop a service: settings, logs, signals, components."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Protocol, TypeVar

from shared.errors import ConfigurationError
from shared.settings import ServiceSettings, describe, load_settings
from shared.telemetry.logs import configure_logging, get_logger

S = TypeVar("S", bound=ServiceSettings)

EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h
_GRACE_SECONDS = 20.0

_log = get_logger(__name__)


class Component(Protocol):
    """Something that runs as long as the service does."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, finish the work in hand, return. An error ends the process."""


async def run_components(components: Sequence[Component], stopping: asyncio.Event) -> None:
    """Run all; when one fails or returns the others are asked to stop.

    Raises:
        ConfigurationError: one of them found a setting that cannot be used.
        ExceptionGroup: what the failed components raised.
    """
    tasks = [asyncio.create_task(c.run(stopping), name=type(c).__name__) for c in components]
    first, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    ended = [] if stopping.is_set() else [task.get_name() for task in first]
    stopping.set()
    _, late = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
    for task in late:
        _log.warning("component did not stop in time", component=task.get_name())
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    errors = [result for result in results if isinstance(result, Exception)]
    if ended and not errors:
        errors = [RuntimeError(f"{name} ended by itself") for name in ended]
    wrong = next((error for error in errors if isinstance(error, ConfigurationError)), None)
    if wrong is not None:
        raise wrong
    if errors:
        raise ExceptionGroup("components failed", errors)


def run_service(
    service: str,
    settings_class: type[S],
    build: Callable[[S, AsyncExitStack], Awaitable[Sequence[Component]]],
) -> None:
    """The body of every service's ``main``. Exits 0 after a graceful stop, 78 on wrong settings, 1 on failure."""
    show_config = "--config" in sys.argv[1:]
    try:
        settings = load_settings(settings_class)
        if show_config:
            _print_config(settings)
            return
        configure_logging(service, settings.platform.log_level)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings, build))
    except ConfigurationError as error:
        sys.stderr.write(f"punctual {service}: {error}\n")
        sys.exit(EXIT_CONFIGURATION)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:  # noqa: BLE001  whatever it was, the log must have it before the process ends
        _log.exception("the service ends")
        sys.exit(1)


async def _serve(settings: S, build: Callable[[S, AsyncExitStack], Awaitable[Sequence[Component]]]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    async with AsyncExitStack() as stack:
        building = asyncio.ensure_future(build(settings, stack))
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({building, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not building.done():  # asked to stop while still waiting for a peer
            building.cancel()
            await asyncio.gather(building, return_exceptions=True)
            return
        components = building.result()
        _calm_collector()
        _log.info("started", port=settings.http_port, clock_speed=settings.platform.clock_speed)
        await run_components(components, stopping)
    _log.info("stopped")


def _calm_collector() -> None:
    """Look for cycles seldom, in short passes, and hardly ever among what has stayed for a while.

    A batch makes some ten thousand tuples that refer to nothing of their own. Python's collector walks through them
    every 700, which was a third of the time per event. A pass over 5,000 objects takes some milliseconds; one over
    50,000 makes everything 50 ms late. What survives a pass is looked at again when two million more objects have
    come than gone, which takes a leak.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 400, 10)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _print_config(settings: ServiceSettings) -> None:
    rows = describe(settings)
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return
    for row in rows:
        sys.stdout.write(f"{row['variable']}={row['value']}    # default {row['default']}. {row['meaning']}\n")
