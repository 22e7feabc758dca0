"""Applications of intake that serve one test after the other.

The framework takes a third of a second to put one together, which was most of the time of many tests. Nothing of it is
about the context, so the context is exchanged instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from services.intake.api.application import create_api
from services.intake.api.context import Context
from shared.http.access import Access
from shared.http.readiness import Readiness
from tests.unit.intake.shipped import STATUS_PAGE


class _Exchanged:
    """Whatever it is asked for is that of what stands here now."""

    def __init__(self, now: object) -> None:
        self.now = now

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now, name)


class Application:
    """Attributes:
    app: the application; it works with what was exchanged last.
    """

    def __init__(self, context: Context, access: Access, readiness: Readiness) -> None:
        self._context = _Exchanged(context)
        self._access = _Exchanged(access)
        self._readiness = readiness
        self.app = create_api(cast(Context, self._context), cast(Access, self._access), STATUS_PAGE, self._ready)

    def exchange(self, context: Context, access: Access, readiness: Readiness) -> None:
        self._context.now, self._access.now, self._readiness = context, access, readiness

    async def _ready(self) -> Mapping[str, str | None]:
        return await self._readiness()


class Applications:
    """Those that were made so far. A test takes as many as it has contexts."""

    def __init__(self) -> None:
        self._made: list[Application] = []
        self._taken: dict[int, Application] = {}

    def free(self) -> None:
        """Let the next test begin with all of them."""
        self._taken.clear()

    def of(self, context: Context, access: Access, readiness: Readiness) -> Application:
        """The same one for each caller of a context."""
        found = self._taken.get(id(context))
        if found is None and len(self._taken) < len(self._made):
            found = self._made[len(self._taken)]
            found.exchange(context, access, readiness)
        elif found is None:
            found = Application(context, access, readiness)
            self._made.append(found)
        self._taken[id(context)] = found
        return found
