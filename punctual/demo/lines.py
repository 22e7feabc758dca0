"""The same figures as plain lines, where there is no terminal."""

from __future__ import annotations

from punctual.demo.figures import Figures
from punctual.demo.screen import score_words


def plain_line(figures: Figures) -> str:
    """One line with what matters."""
    timer, quality = figures.sla_timer, figures.quality_audit
    share = figures.attainment
    parts = [
        f"{figures.business_at:%Y-%m-%d %H:%M}",
        f"requests {figures.intake.get('requests', 0)} ({figures.intake.get('open', 0)} open)",
        f"clocks {timer.get('open', 0)} open",
        f"warnings {timer.get('warnings', 0)}",
        f"breaches {timer.get('breaches', 0)}",
        f"escalations {timer.get('escalations', 0)}",
        f"in time {'-' if share is None else f'{share:.1%}'}",
        f"notices {figures.notifier.get('sent', 0)}",
        f"samples {quality.get('reviewed', 0)}/{quality.get('sampled', 0)} reviewed",
        f"accuracy {score_words(figures.score.get('accuracy')) or '-'}",
        f"backlog {figures.total('backlog')}",
        f"lag {figures.total('lag')}",
    ]
    if figures.refused:
        parts.append("refused " + ", ".join(f"{count} {code}" for code, count in figures.refused.items()))
    if figures.down:
        parts.append(f"not answering: {', '.join(figures.down)}")
    return "; ".join(parts)
