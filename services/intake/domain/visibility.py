"""Which requests a caller sees: the one place that decides it. Stores ask the same of Postgres, and tests compare."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visibility:
    """Attributes:
    channel: only this channel's requests; None: those of all.
    teams: only requests that are assigned to one of these teams or to none; None: those of all.
    """

    channel: str | None = None
    teams: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if self.channel is not None and self.teams is not None:
            raise ValueError("channels have no teams")

    def shows(self, channel: str, team: str | None) -> bool:
        """Whether it shows a request that came from ``channel`` and is assigned to ``team``."""
        is_of_channel = self.channel in (None, channel)
        return is_of_channel and (self.teams is None or team is None or team in self.teams)


EVERYTHING = Visibility()
