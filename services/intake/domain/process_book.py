"""Which process a request follows. Knows the versions in force and, of others, those that requests began with."""

from __future__ import annotations

from collections.abc import Iterable

from services.intake.domain.process import Process
from shared.contracts.payload import RequestKind
from shared.errors import ConfigurationError


class ProcessBook:
    """Every known version of every process; immutable."""

    def __init__(self, processes: Iterable[Process]) -> None:
        """Raises:
        ConfigurationError: a kind has no process for the product lines that are left, or a line has two.
        """
        self._versions = {(process.code, process.version): process for process in processes}
        newest: dict[str, Process] = {}
        for process in self._versions.values():
            if process.code not in newest or newest[process.code].version < process.version:
                newest[process.code] = process
        self._in_force = newest
        self._by_line: dict[tuple[RequestKind, str | None], Process] = {}
        for process in newest.values():
            for line in process.product_lines or (None,):
                other = self._by_line.setdefault((process.kind, line), process)
                if other is not process:
                    which = f"product line {line}" if line is not None else "all other product lines"
                    raise ConfigurationError(
                        f"{other.code} and {process.code} are both for {process.kind} and {which}; one of them too many"
                    )
        missing = [kind.value for kind in RequestKind if (kind, None) not in self._by_line]
        if missing:
            raise ConfigurationError(f"no process without product_lines is defined for {', '.join(missing)}")

    def choose(self, kind: RequestKind, product_line: str | None) -> Process:
        """The version that a new request begins with."""
        return self._by_line.get((kind, product_line)) or self._by_line[kind, None]

    def find(self, code: str, version: int) -> Process | None:
        """None when this version is not known here; another process may have put it in force."""
        return self._versions.get((code, version))

    def in_force(self) -> tuple[Process, ...]:
        """The newest version of each, by name."""
        return tuple(self._in_force[code] for code in sorted(self._in_force))

    def newest(self, code: str) -> Process | None:
        return self._in_force.get(code)

    def all(self) -> Iterable[Process]:
        """Every version, also those that only older requests follow."""
        return self._versions.values()
