"""A notice put into words. The language is an argument, never ambient."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from html import escape

from services.notifier.domain.notice import Facts, Notice
from services.notifier.domain.views import Submission
from services.notifier.domain.wording.dates import format_deadline, format_instant
from services.notifier.domain.wording.templates import OPTIONAL, TERM, NoticeTemplate, Slots, Templates
from services.notifier.domain.wording.terms import Terms
from shared.contracts.payload import Language, Market

_COLON = {Language.ENGLISH: ": "}
_COMMA = {Language.ENGLISH: ", "}


class MissingFact(ValueError):
    """The notice lacks a fact that its template tells."""


@dataclass(frozen=True, slots=True)
class Words:
    """A rendered notice: the same facts as plain text and as simple HTML."""

    language: Language
    subject: str
    text: str
    html: str


class Wording:
    """The templates and terms in force."""

    def __init__(self, templates: Templates, terms: Terms, public_url: str) -> None:
        self._templates = templates
        self._terms = terms
        self._public_url = public_url.rstrip("/")

    def render(self, notice: Notice, submission: Submission, language: Language, name: str) -> Words:
        """Args:
            name: how the customer is addressed; no template for staff has a place for it.

        Raises:
            MissingFact: the notice lacks what its template tells; nothing with a hole in it is ever sent.
        """
        values = self._values(notice, submission, language)
        missing = OPTIONAL.get(notice.key.kind, frozenset()) - values.keys()
        template = _without(missing, self._templates[language, notice.key.kind])
        values["name"] = " ".join(name.split())
        for slot in {slot for part in template.parts for slot in part.get_identifiers() if slot.startswith(TERM)}:
            values[slot] = self._terms.word(slot.removeprefix(TERM), language, submission.market)
        try:
            return Words(
                language=language,
                subject=template.subject.substitute(values),
                text=_text(template, values, language),
                html=_html(template, values, language),
            )
        except KeyError as error:
            raise MissingFact(f"{notice.key.kind} has no {error.args[0]}") from None

    def _values(self, notice: Notice, submission: Submission, language: Language) -> dict[str, str]:
        facts, market = notice.facts, submission.market
        deadlines = {
            "expected_by": notice.told_expected_at,
            "previous_expected_by": facts.previous_expected_at,
            "due_at": facts.due_at,
        }
        instants = {
            "submitted_at": submission.submitted_at,
            "stopped_at": facts.stopped_at,
            "entered_at": facts.entered_at,
            "paused_at": facts.paused_at,
        }
        return {
            "reference": submission.reference,
            "kind": self._terms.word(f"kind_{submission.kind}", language, market),
            "status_link": self._public_url + submission.status_path,
            "level": str(facts.level),
            "objective": self._named("objective", facts.objective, language, market),
            "stage": self._named("stage", facts.stage, language, market),
            "pause_reason": self._named("pause", facts.pause_reason, language, market),
            "outcome": self._outcome(facts, submission, language),
            **self._documents(facts, language, market),
            **{slot: format_deadline(at, language, market) for slot, at in deadlines.items() if at is not None},
            **{slot: format_instant(at, language, market) for slot, at in instants.items() if at is not None},
        }

    def _named(self, sort: str, word: str | None, language: Language, market: Market) -> str:
        """Policies and processes may have objectives, stages and reasons of their own; staff read those as written."""
        name = f"{sort}_{word}"
        return self._terms.word(name, language, market) if name in self._terms else str(word)

    def _documents(self, facts: Facts, language: Language, market: Market) -> dict[str, str]:
        """A list of names; of a document that has none the code is shown as words."""
        if not facts.documents:
            return {}
        names = [
            self._terms.word(name, language, market)
            if (name := f"document_{document}") in self._terms
            else document.replace("_", " ")
            for document in facts.documents
        ]
        return {"documents": _COMMA.get(language, "、").join(names)}

    def _outcome(self, facts: Facts, submission: Submission, language: Language) -> str:
        """In plain words, the kind's own where there are some; an outcome without any reads as completed."""
        for name in (f"outcome_{submission.kind}_{facts.outcome}", f"outcome_{facts.outcome}"):
            if name in self._terms:
                return self._terms.word(name, language, submission.market)
        return self._terms.word("outcome_other", language, submission.market)


def _without(missing: Set[str], template: NoticeTemplate) -> NoticeTemplate:
    """Leave out the facts that nothing is known of."""
    if not missing:
        return template

    def is_known(fact: tuple[Slots, Slots]) -> bool:
        return missing.isdisjoint(slot for part in fact for slot in part.get_identifiers())

    return replace(template, facts=tuple(filter(is_known, template.facts)))


def _text(template: NoticeTemplate, values: Mapping[str, str], language: Language) -> str:
    colon = _COLON.get(language, "：")
    facts = [f"{label.substitute(values)}{colon}{value.substitute(values)}" for label, value in template.facts]
    opening = [slots.substitute(values) for slots in template.opening]
    closing = [slots.substitute(values) for slots in template.closing]
    return "\n\n".join([*opening, "\n".join(facts), *closing]) + "\n"


def _html(template: NoticeTemplate, values: Mapping[str, str], language: Language) -> str:
    link = escape(values["status_link"])
    safe = {slot: escape(value) for slot, value in values.items()} | {"status_link": f'<a href="{link}">{link}</a>'}

    def fill(slots: Slots) -> str:
        # The template's own text is escaped too; its slots are not touched by that.
        return Slots(escape(slots.template, quote=False)).substitute(safe)

    rows = "".join(
        f'<tr><th align="left" scope="row">{fill(label)}</th><td>{fill(value)}</td></tr>'
        for label, value in template.facts
    )
    opening = "".join(f"<p>{fill(slots)}</p>" for slots in template.opening)
    closing = "".join(f"<p>{fill(slots)}</p>" for slots in template.closing)
    title = fill(template.subject)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>'
        f'<body>{opening}<table cellpadding="4">{rows}</table>{closing}</body></html>\n'
    )
