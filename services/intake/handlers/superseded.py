"""Two who edit the same definition must not undo each other's work unseen."""

from __future__ import annotations

from shared.errors import PunctualError


class Superseded(PunctualError):
    """Another version is in force than the caller saw.

    Attributes:
        version: the one in force; None when there is none.
    """

    def __init__(self, version: int | None) -> None:
        super().__init__("no version is in force" if version is None else f"version {version} is in force")
        self.version = version


def check_seen(seen_versions: frozenset[int] | None, version: int | None) -> None:
    """
    Args:
        seen_versions: the change is for one of these only; None means whatever is in force.
        version: what is in force; None when nothing is.

    Raises:
        Superseded: it is none of them.
    """
    if seen_versions is not None and version not in seen_versions:
        raise Superseded(version)
