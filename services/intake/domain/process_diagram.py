"""Draws a process: as Mermaid for documents, and from its layers as SVG for screens. Pure text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from services.intake.domain.process import Process, Stage

_WIDTH, _HEIGHT = 190, 62
_GAP_X, _GAP_Y = 90, 44
_MARGIN = 24
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b2733}.soft{font-size:11px;fill:#5a6b7b}"
    ".stage{fill:#eef4fb;stroke:#2f6db5}.key{stroke-width:3}.end{fill:#f3f3f3;stroke:#8a96a3}"
    ".way,.back{fill:none;stroke:#2f6db5;stroke-width:1.5}.back{stroke:#b5762f;stroke-dasharray:5 4}"
    ".arrow{fill:#2f6db5}"
)
_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path class="arrow" d="M0 0L8 4L0 8z"/></marker></defs>'
)


def draw_mermaid(process: Process) -> str:
    """A state diagram. Dashed ways back do not exist in Mermaid's state diagrams, so they are named rework."""
    lines = ["stateDiagram-v2", f"    [*] --> {process.start}"]
    for name, stage in process.stages.items():
        lines += [f"    {name} : {name}{_notes(stage, ' · ')}"]
        lines += [f"    {name} --> {following}" for following in stage.next]
        lines += [f"    {name} --> {following} : rework" for following in stage.rework]
        outcomes = process.outcomes_at(name)
        if outcomes:
            lines.append(f"    {name} --> [*] : {', '.join(outcomes)}")
    return "\n".join(lines) + "\n"


def draw_svg(process: Process) -> str:
    """A picture of its own, without script; every stage stands right of those that lead to it."""
    columns = _columns(process)
    places = _places(columns)
    right = max(x for x, _ in places.values()) + _WIDTH + _MARGIN
    bottom = max(y for _, y in places.values()) + _HEIGHT + _MARGIN + _GAP_Y
    title = f"{process.code} version {process.version}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right} {bottom}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        _ARROW,
        *_ways(process, places),
        *(_box(process, name, places[name]) for name in process.stages),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _columns(process: Process) -> list[list[str]]:
    """A stage stands right of every stage that leads forward to it; ways back do not count."""
    order, ways = _forward(process)
    depth = dict.fromkeys(order, 0)
    for name in order:
        for following in ways[name]:
            depth[following] = max(depth[following], depth[name] + 1)
    found: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in process.stages:
        found[depth.get(name, -1)].append(name)  # one that only a reopening leads to stands at the end
    return found


def _forward(process: Process) -> tuple[list[str], dict[str, list[str]]]:
    """The stages that can be reached, each before those it leads to, and the ways that do not lead back."""
    finished: list[str] = []
    ways: dict[str, list[str]] = {}
    path: dict[str, Iterator[str]] = {}  # the stages on the way here, each with those after it that are left to visit

    def enter(name: str) -> None:
        path[name] = iter(())
        ways[name] = [following for following in process.stages_after(name) if following not in path]
        path[name] = iter(ways[name])

    enter(process.start)
    while path:
        name, left = next(reversed(path.items()))
        following = next((each for each in left if each not in ways), None)
        if following is not None:
            enter(following)
        else:
            finished.append(name)
            del path[name]
    return finished[::-1], ways


def _places(columns: list[list[str]]) -> dict[str, tuple[int, int]]:
    return {
        name: (_MARGIN + column * (_WIDTH + _GAP_X), _MARGIN + row * (_HEIGHT + _GAP_Y))
        for column, names in enumerate(columns)
        for row, name in enumerate(names)
    }


def _ways(process: Process, places: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    for name, stage in process.stages.items():
        for following in stage.next:
            yield _way("way", places[name], places[following])
        for following in stage.rework:
            yield _way("back", places[name], places[following])


def _way(style: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    (x1, y1), (x2, y2) = start, end
    if x2 > x1:  # to the right
        x1, y1, y2 = x1 + _WIDTH, y1 + _HEIGHT // 2, y2 + _HEIGHT // 2
        bend = (x2 - x1) // 2
        path = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    else:  # back, below the boxes
        x1, x2 = x1 + _WIDTH // 2, x2 + _WIDTH // 2
        y1, y2 = y1 + _HEIGHT, y2 + _HEIGHT
        low = max(y1, y2) + _GAP_Y // 2
        path = f"M{x1} {y1}C{x1} {low} {x2} {low} {x2} {y2}"
    return f'<path class="{style}" d="{path}" marker-end="url(#arrow)"/>'


def _box(process: Process, name: str, place: tuple[int, int]) -> str:
    x, y = place
    stage = process.stages[name]
    style = "stage key" if stage.is_key else "stage"
    owner = stage.role or (f"waits for {stage.waits_for}" if stage.waits_for is not None else "")
    controls = ", ".join(stage.control_points)
    outcomes = ", ".join(process.outcomes_at(name))
    about = escape("; ".join(part for part in (f"controls: {controls}" if controls else "", outcomes) if part))
    return (
        f'<g><title>{about}</title><rect class="{style}" x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>'
        f'<text x="{x + 10}" y="{y + 24}">{escape(name)}{_mark(stage)}</text>'
        f'<text class="soft" x="{x + 10}" y="{y + 44}">{escape(owner)}</text></g>'
    )


def _mark(stage: Stage) -> str:
    """A full diamond for control points that must be passed, an empty one for those that need not be recorded."""
    marks = ("◆" if stage.controls else "") + ("◇" if stage.optional_controls else "")
    return f" {marks}" if marks else ""


def _notes(stage: Stage, separator: str) -> str:
    notes = [
        stage.role or "",
        "key stage" if stage.is_key else "",
        *(f"◆ {control}" for control in stage.controls),
        *(f"◇ {control}" for control in stage.optional_controls),
    ]
    return "".join(f"{separator}{note}" for note in notes if note)
