"""Draws the status page. Pure: a record, a language, an instant give HTML. No personal data, no decision, no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from html import escape
from string import Template

from services.intake.api.local_time import ZONES, format_instant
from services.intake.api.words import Words
from services.intake.domain.changes import Closed, Entry, Paused, Responded, Resumed, StageEntered, Submitted
from services.intake.domain.deadlines import expected_at, overdue_since
from services.intake.domain.life import State
from services.intake.domain.record import RequestRecord
from shared.contracts.payload import Language, Market


class StatusPage:
    """Args:
    template: the frame; its one style block is allowed by its hash in the content policy.
    """

    def __init__(self, template: str, words: Mapping[Language, Words]) -> None:
        self._template = Template(template)
        self._words = words
        style = template.partition("<style>")[2].partition("</style>")[0]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.content_policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )

    def draw(self, record: RequestRecord, language: Language, now: datetime) -> str:
        words = self._words[language]
        title = words.title.format(kind=words.kinds[record.kind])
        content = [
            f"<h1>{escape(title)}</h1>",
            f"<p>{escape(words.reference)}: <strong>{escape(record.reference)}</strong></p>",
            *_section(words.now, _now(record, words)),
            *_section(words.expected, [_expected(record, words)]),
            f"<h2>{escape(words.so_far)}</h2>",
            "<ol>",
            *(_step(entry, record.market, words) for entry in record.history),
            "</ol>",
            _soft(words.as_of.format(instant=format_instant(now, record.market, words))),
            _soft(words.privacy),
        ]
        return self._frame(f"{title} {record.reference}", content, words)

    def draw_unknown(self, language: Language) -> str:
        """The page of a link that nobody was given."""
        words = self._words[language]
        content = [f"<h1>{escape(words.unknown_title)}</h1>", f"<p>{escape(words.unknown)}</p>"]
        return self._frame(words.unknown_title, content, words)

    def _frame(self, title: str, content: Iterable[str], words: Words) -> str:
        links = [
            f'<li><a href="?lang={language}" lang="{language}" hreflang="{language}">{escape(other.name)}</a></li>'
            for language, other in self._words.items()
            if other is not words
        ]
        return self._template.substitute(
            language=words.language,
            title=escape(title),
            languages=escape(words.languages),
            language_links="\n".join(links),
            content="\n".join(content),
        )


def _section(heading: str, sentences: Iterable[str]) -> Iterator[str]:
    yield f"<h2>{escape(heading)}</h2>"
    for sentence in sentences:
        yield f'<p class="lead">{escape(sentence)}</p>'


def _soft(sentence: str) -> str:
    return f'<p class="soft">{escape(sentence)}</p>'


def _now(record: RequestRecord, words: Words) -> list[str]:
    life = record.life
    if life.closed_at is not None:
        return [words.closed.format(instant=format_instant(life.closed_at, record.market, words))]
    if life.pause_reasons:
        return [words.pause_reasons[reason] for reason in life.pause_reasons]
    return [words.stages[life.stage].now, words.nothing_to_do]


def _expected(record: RequestRecord, words: Words) -> str:
    if record.life.state is State.CLOSED:
        return words.closed_expected
    overdue_at = overdue_since(record.deadlines)
    if overdue_at is not None:
        return words.overdue.format(instant=format_instant(overdue_at, record.market, words))
    if record.life.state is State.PAUSED:
        return words.expected_waiting
    due_at = expected_at(record.deadlines)
    if due_at is None:
        return words.expected_unknown
    return words.expected_at.format(instant=format_instant(due_at, record.market, words))


def _step(entry: Entry, market: Market, words: Words) -> str:
    match entry.change:
        case Submitted(stage=stage) | StageEntered(stage=stage):
            text = words.stages[stage].name
        case Responded():
            text = words.responded
        case Paused():
            text = words.waiting_began
        case Resumed():
            text = words.waiting_ended
        case Closed():
            text = words.finished
    at = entry.occurred_at.astimezone(ZONES[market]).isoformat(timespec="seconds")
    return (
        f'<li><strong>{escape(text)}</strong><br><time class="soft" datetime="{at}">'
        f"{escape(format_instant(entry.occurred_at, market, words))}</time></li>"
    )
