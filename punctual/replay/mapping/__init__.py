"""What the columns and activities of a log mean here: MAP.yaml."""

from punctual.replay.mapping.loading import load_map
from punctual.replay.mapping.model import LogMap

__all__ = ["LogMap", "load_map"]
