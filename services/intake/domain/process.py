"""Process definitions: which stages a kind of request has and which moves they allow. Data, with a version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contracts.payload import Code, RequestKind
from shared.errors import ConfigurationError


class Stage(BaseModel):
    """One stage.

    Attributes:
        next: the stages that may follow.
        outcomes: the outcomes a request may be closed with here; None means every outcome of the process.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    next: tuple[Code, ...] = ()
    outcomes: tuple[Code, ...] | None = None


class Process(BaseModel):
    """One version of one kind's process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: RequestKind
    version: Annotated[int, Field(ge=1)]
    start: Code
    stages: Annotated[dict[Code, Stage], Field(min_length=1)]
    outcomes: Annotated[tuple[Code, ...], Field(min_length=1)]
    pause_reasons: tuple[Code, ...] = ()

    def stages_after(self, stage: str) -> tuple[str, ...]:
        return self.stages[stage].next

    def outcomes_at(self, stage: str) -> tuple[str, ...]:
        outcomes = self.stages[stage].outcomes
        return self.outcomes if outcomes is None else outcomes


def parse_process(text: str, origin: str) -> Process:
    """Read a definition.

    Args:
        text: YAML.
        origin: the file's name, for the message.

    Raises:
        ConfigurationError: the message names the file and the field.
    """
    try:
        process = Process.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{origin}: not readable as YAML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ConfigurationError(f"{origin}: {field}: {first['msg']}") from None
    for field, problem in _contradictions(process):
        raise ConfigurationError(f"{origin}: {field}: {problem}")
    return process


def _contradictions(process: Process) -> Iterable[tuple[str, str]]:
    if process.start not in process.stages:
        yield "start", f"{process.start} is no stage of this process"
        return
    for name, stage in process.stages.items():
        for following in stage.next:
            if following not in process.stages:
                yield f"stages.{name}.next", f"{following} is no stage of this process"
                return
        for outcome in stage.outcomes or ():
            if outcome not in process.outcomes:
                yield f"stages.{name}.outcomes", f"{outcome} is no outcome of this process"
        if not stage.next and not process.outcomes_at(name):
            yield f"stages.{name}", "a request could neither leave this stage nor be closed in it"
    for name in sorted(process.stages.keys() - _reachable(process)):
        yield f"stages.{name}", "no move leads to this stage"


def _reachable(process: Process) -> set[str]:
    found = {process.start}
    waiting = [process.start]
    while waiting:
        new = set(process.stages_after(waiting.pop())) - found
        found |= new
        waiting.extend(new)
    return found


class ProcessBook:
    """Every version of every kind. A request keeps the version it began with."""

    def __init__(self, processes: Iterable[Process]) -> None:
        self._versions: dict[tuple[RequestKind, int], Process] = {}
        self._current: dict[RequestKind, Process] = {}
        for process in processes:
            key = (process.kind, process.version)
            if key in self._versions:
                raise ConfigurationError(f"version {process.version} of process {process.kind} is defined twice")
            self._versions[key] = process
            if process.kind not in self._current or self._current[process.kind].version < process.version:
                self._current[process.kind] = process
        missing = [kind.value for kind in RequestKind if kind not in self._current]
        if missing:
            raise ConfigurationError(f"no process is defined for {', '.join(missing)}")

    def current(self, kind: RequestKind) -> Process:
        """The version that new requests begin with."""
        return self._current[kind]

    def version(self, kind: RequestKind, version: int) -> Process:
        """The version a stored request began with.

        Raises:
            ConfigurationError: its definition was removed while requests still follow it.
        """
        try:
            return self._versions[kind, version]
        except KeyError:
            raise ConfigurationError(f"process {kind} version {version} is in use but not defined") from None

    def all(self) -> Iterable[Process]:
        """Every version, also those that only older requests follow."""
        return self._versions.values()
