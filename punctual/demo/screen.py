"""The live summary in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from punctual.demo.figures import Figures
from punctual.demo.sender import Happening

_LANGUAGE_NAMES = {"zh-Hant": "繁", "zh-Hans": "简", "en": "en"}


def render(figures: Figures, latest: Iterable[Happening], addresses: Mapping[str, str]) -> RenderableType:
    """Everything on one screen, 80 columns and up."""
    return Group(
        _head(figures),
        Columns([_requests(figures), _clocks(figures), _told(figures), _plumbing(figures)], equal=False, expand=False),
        Columns([_latest(latest), _addresses(addresses)], equal=False, expand=False),
        Text("Ctrl-C stops everything; started again it goes on with its data.", style="dim"),
    )


def _head(figures: Figures) -> Text:
    local = f"{figures.business_at:%a %Y-%m-%d %H:%M} UTC"
    text = Text.assemble(("Punctual", "bold"), f"   business time {local}, {figures.speed:g} times real time")
    if figures.down:
        text.append(f"   not answering: {', '.join(figures.down)}", style="bold red")
    return text


def _requests(figures: Figures) -> Panel:
    intake = figures.intake
    rows = [("accepted", intake.get("requests")), ("open", intake.get("open")), ("closed", intake.get("closed"))]
    rows += [(kind.replace("_", " "), count) for kind, count in sorted(intake.get("by_kind", {}).items())]
    return _panel("requests", rows)


def _clocks(figures: Figures) -> Panel:
    timer = figures.sla_timer
    share = figures.attainment
    rows: list[tuple[str, Any]] = [(name, timer.get(name)) for name in ("open", "paused", "warnings", "breaches")]
    rows += [(name, timer.get(name)) for name in ("escalations", "met", "missed")]
    rows.append(("kept in time", None if share is None else f"{share:.1%}"))
    return _panel("clocks", rows)


def _told(figures: Figures) -> Panel:
    notifier, quality = figures.notifier, figures.quality_audit
    rows = [(f"notices {name.replace('_', ' ')}", notifier.get(name)) for name in ("sent", "planned", "failed")]
    rows += [(f"samples {name}", quality.get(name)) for name in ("sampled", "reviewed")]
    rows += [(name, score_words(figures.score.get(name))) for name in ("accuracy", "completeness", "timeliness")]
    return _panel("notices and quality", rows)


def _plumbing(figures: Figures) -> Panel:
    timer = figures.sla_timer
    lateness = timer.get("lateness_p99_ms")
    rows = [
        ("outbox backlog", figures.total("backlog")),
        ("Kafka lag", figures.total("lag")),
        ("next timer", _time_of(timer.get("next_timer_at"))),
        ("timer late p99", None if lateness is None else f"{lateness:.0f} ms"),
        ("calls sent", figures.sent + figures.moves),
        ("refused", sum(figures.refused.values())),
    ]
    return _panel("plumbing", rows)


def _time_of(instant: str | None) -> str | None:
    """Hours and minutes of an answer's instant, in UTC as the head of the screen."""
    return None if instant is None else f"{datetime.fromisoformat(instant):%a %H:%M}"


def _time_of_day(text: str | None) -> str | None:
    """An instant of an answer, as the head shows business time."""
    return None if text is None else f"{datetime.fromisoformat(text):%a %H:%M}"


def score_words(score: Mapping[str, Any] | None) -> str | None:
    """A point with its interval, or a share that was counted."""
    if not score or score.get("point") is None:
        return None
    if "lower" in score:
        return f"{score['point']:.1%} ({score['lower']:.0%} to {score['upper']:.0%})"
    return f"{score['point']:.1%}"


def _latest(latest: Iterable[Happening]) -> Panel:
    table = Table.grid(padding=(0, 1))
    for happening in reversed(list(latest)):
        table.add_row(
            Text(f"{happening.at:%H:%M}", style="dim"),
            happening.reference,
            happening.market,
            _LANGUAGE_NAMES.get(happening.language, happening.language),
            happening.what,
        )
    return Panel(table, title="latest", title_align="left")


def _addresses(addresses: Mapping[str, str]) -> Panel:
    table = Table.grid(padding=(0, 1))
    for name, url in addresses.items():
        table.add_row(name, Text(url, style="cyan"))
    return Panel(table, title="open in a browser", title_align="left")


def _panel(title: str, rows: Iterable[tuple[str, Any]]) -> Panel:
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows:
        table.add_row(name, "-" if value is None else str(value))
    return Panel(table, title=title, title_align="left")
