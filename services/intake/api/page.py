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
from services.intake.domain.changes import (
    Cancelled,
    Closed,
    DocumentsReceived,
    Merged,
    Paused,
    Reopened,
    Responded,
    Resumed,
    StageEntered,
    Submitted,
)
from services.intake.domain.deadlines import expected_at, overdue_since, stands_still
from services.intake.domain.history import Change
from services.intake.domain.life import State
from services.intake.domain.process import Process, StageWords
from services.intake.domain.record import RequestRecord
from services.intake.domain.survey import given_score, is_asked
from shared.contracts.payload import Language


class StatusPage:
    """Args:
    frame: as `read_frame` gives it; its one style block is allowed by its hash in the content policy.
    """

    def __init__(self, frame: Template, words: Mapping[Language, Words]) -> None:
        self._template = frame
        self.words = words
        drawn = frame.safe_substitute()  # a $$ of a style is drawn as $
        style = drawn.partition("<style>")[2].partition("</style>")[0]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.content_policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'self'; "
            "frame-ancestors 'none'"
        )

    def draw(self, record: RequestRecord, process: Process, language: Language, now: datetime) -> str:
        """
        Args:
            process: the definition that the request follows; it may have words for stages of its own.
        """
        words = self.words[language]
        title = words.title.format(kind=words.kinds[record.life.kind])
        content = [
            f"<h1>{escape(title)}</h1>",
            f"<p>{escape(words.reference)}: <strong>{escape(record.reference)}</strong></p>",
            *_section(words.now, tell_now(record, process, words)),
            *_section(words.expected, [tell_expected(record, words)]),
            f"<h2>{escape(words.so_far)}</h2>",
            "<ol>",
            *_list(tell_steps(record, process, words), record, words),
            "</ol>",
            *_feedback(record, words),
            _soft(words.as_of.format(instant=format_instant(now, record.market, words))),
            _soft(words.privacy),
        ]
        return self._frame(f"{title} {record.reference}", content, words)

    def draw_unknown(self, language: Language, page: str = "") -> str:
        """The page of a link that nobody was given.

        Args:
            page: where the status page is, seen from here.
        """
        words = self.words[language]
        content = [f"<h1>{escape(words.unknown_title)}</h1>", f"<p>{escape(words.unknown)}</p>"]
        return self._frame(words.unknown_title, content, words, page)

    def draw_refused(self, language: Language, sentence: str, page: str) -> str:
        """The answer to a form that was not taken; otherwise as ``draw_unknown``."""
        words = self.words[language]
        title = words.feedback.title
        back = f'<p><a href="{escape(page)}?lang={language}">{escape(words.feedback.back)}</a></p>'
        content = [f"<h1>{escape(title)}</h1>", f'<p class="lead">{escape(sentence)}</p>', back]
        return self._frame(title, content, words, page)

    def _frame(self, title: str, content: Iterable[str], words: Words, page: str = "") -> str:
        links = [
            f'<li><a href="{escape(page)}?lang={language}" lang="{language}" hreflang="{language}">'
            f"{escape(other.name)}</a></li>"
            for language, other in self.words.items()
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


def _feedback(record: RequestRecord, words: Words) -> Iterator[str]:
    said = tell_feedback(record, words)
    if said is not None:
        yield from _section(words.feedback.title, [said])
    if not is_asked(record):
        return
    asked = words.feedback
    # Relative: the page may stand behind a proxy, below another path.
    action = f"{record.status_token}/feedback?lang={words.language}"
    yield f"<h2>{escape(asked.title)}</h2>"
    yield f'<form method="post" action="{escape(action)}"><fieldset><legend>{escape(asked.ask)}</legend>'
    for score in range(len(asked.scores), 0, -1):
        choice = f'<input type="radio" name="score" value="{score}" required>'
        yield f"<label>{choice} {escape(asked.scores[score - 1])}</label>"
    yield f'</fieldset><p id="free">{escape(asked.text)}</p>'
    yield '<textarea name="text" rows="4" maxlength="4000" aria-labelledby="free"></textarea>'
    yield f"<p><button>{escape(asked.send)}</button></p></form>"


def tell_feedback(record: RequestRecord, words: Words) -> str | None:
    """What the customer told of a closed request; None while nothing."""
    score = given_score(record) if record.life.is_over else None
    return None if score is None else words.feedback.given.format(score=words.feedback.scores[score - 1])


def tell_now(record: RequestRecord, process: Process, words: Words) -> list[str]:
    life = record.life
    if life.closed_at is not None:
        instant = format_instant(life.closed_at, record.market, words)
        sentences = {State.CANCELLED: words.cancelled, State.MERGED: words.merged}
        return [sentences.get(life.state, words.closed).format(instant=instant)]
    if life.pause_reasons:
        # A definition that was stored before its reasons had to have words may have one without.
        said = dict.fromkeys(words.pause_reasons.get(reason, words.unnamed.now) for reason in life.pause_reasons)
        return [*said, *_tell_missing(record, words)]
    return [_stage(life.stage, process, words).now, words.nothing_to_do]


def missing_documents(record: RequestRecord) -> list[str]:
    """Codes of what the customer was asked for and has not sent, each once."""
    return list(dict.fromkeys(document for asked in record.life.awaited.values() for document in asked))


def _tell_missing(record: RequestRecord, words: Words) -> list[str]:
    names = [words.documents.get(code, code.replace("_", " ")) for code in missing_documents(record)]
    return [words.still_missing.format(documents=words.comma.join(names))] if names else []


def _stage(stage: str, process: Process, words: Words) -> StageWords:
    """The definition's own words; those of the page; of a stage of an older definition only that it is work."""
    own = process.stages[stage].words.get(words.language) if stage in process.stages else None
    return own or words.stages.get(stage) or words.unnamed


def tell_expected(record: RequestRecord, words: Words) -> str:
    if record.life.is_over:
        return words.closed_expected
    overdue_at = overdue_since(record.deadlines)
    if overdue_at is not None:
        return words.overdue.format(instant=format_instant(overdue_at, record.market, words))
    if stands_still(record.deadlines):
        return words.expected_waiting
    due_at = expected_at(record.deadlines)
    if due_at is None:
        return words.expected_unknown
    return words.expected_at.format(instant=format_instant(due_at, record.market, words))


def tell_steps(record: RequestRecord, process: Process, words: Words) -> Iterator[tuple[str, datetime]]:
    """What concerns the customer; how the house works within a stage does not, nor that more was asked for while it
    waited already: the page says what is still missing.
    """
    waits: set[str] = set()
    for entry in record.history:
        match entry.change:
            case Paused(reason) if reason in waits:
                continue
            case Paused(reason):
                waits.add(reason)
            case Resumed(reason):
                waits.discard(reason)
            case Reopened():
                waits.clear()
        text = _step(entry.change, process, words)
        if text is not None:
            yield text, entry.occurred_at


def _list(steps: Iterable[tuple[str, datetime]], record: RequestRecord, words: Words) -> Iterator[str]:
    for text, occurred_at in steps:
        at = occurred_at.astimezone(ZONES[record.market]).isoformat(timespec="seconds")
        yield (
            f'<li><strong>{escape(text)}</strong><br><time class="soft" datetime="{at}">'
            f"{escape(format_instant(occurred_at, record.market, words))}</time></li>"
        )


def _step(change: Change, process: Process, words: Words) -> str | None:
    match change:
        case Submitted(stage=stage) | StageEntered(stage=stage):
            return _stage(stage, process, words).name
        case Responded():
            return words.responded
        case Paused():
            return words.waiting_began
        case Resumed():
            return words.waiting_ended
        case DocumentsReceived():
            return words.documents_received
        case Closed():
            return words.finished
        case Reopened():
            return words.reopened
        case Cancelled():
            return words.withdrawn
        case Merged():
            return words.joined
        case _:
            return None
