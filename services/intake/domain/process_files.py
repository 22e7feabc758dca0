"""Reads a process definition. Every error names file, line and field."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice

from services.intake.domain.process import Outcome, Process, Reopening, Stage, StageWords, Waiting
from services.intake.domain.process_ways import find_ending, find_reached
from services.intake.domain.validation.personal import find_personal
from services.intake.domain.validation.personal_names import PersonalNames
from shared.contracts.payload import Language, RequestKind
from shared.rules.document import Document, Field, refusing
from shared.rules.spans import read_span
from shared.rules.words import read_code, read_truth, read_word

FORMAT = "1"

_TOP = frozenset({"format", "process", "kind", "start", "stages", "outcomes"})
_TOP_OPTIONAL = frozenset({"product_lines", "pauses", "reopening", "cancelling"})
_STAGE = frozenset(
    {"role", "key", "next", "rework", "outcomes", "required", "controls", "optional_controls", "waits_for", "words"}
)
_LONGEST_WORDS = 200

MOST_STAGES = 100
"""The longest that ships has seven; people have to find their way in the diagram. As many outcomes are taken."""

MOST_VALUES = 20_000
"""In the whole text: two hundred for each of the most stages."""

_MOST_NAMED = 10  # of the names that are known, where one is not: fewer than that are read


@dataclass(frozen=True, slots=True)
class Worded:
    """What the status page has words for, in every language. A word of a stage says nothing about waiting.

    Attributes:
        pauses: reasons to pause.
    """

    stages: frozenset[str]
    pauses: frozenset[str]


def read_process(
    text: str,
    file: str,
    version: int,
    *,
    worded: Worded | None = None,
    personal: PersonalNames | None = None,
    is_stored: bool = False,
) -> Process:
    """
    Args:
        text: YAML.
        file: its name, for the messages.
        version: which one it is, or will be.
        worded: what the status page has words for; None to ask for no words.
        personal: names that no attribute may have, as the rules of validation give them; None to let any name be.
        is_stored: it was put in force, perhaps before sizes were bounded, and requests follow it: any size is taken.

    Raises:
        InvalidDocument: names every wrong field.
    """
    with refusing(file):
        document = Document(text, file)
        if not is_stored:
            _require_bounds(document)
        reader = _Reader(document, document.root.members(_TOP, _TOP_OPTIONAL))
        process = reader.process(version)
        if worded is not None:
            reader.require_words(process, worded)
        if personal is not None:
            reader.refuse_personal(process, personal)
        document.finish()
        return process


def _require_bounds(document: Document) -> None:
    """Asked before anything is read: what is done with stages grows with their number and with what each names.

    Raises:
        InvalidDocument: names the part that is too large.
    """
    top = document.root.entries()
    for part in ("stages", "outcomes"):
        if part in top and top[part].count > MOST_STAGES:
            with document.collecting():
                raise top[part].fail(f"holds {top[part].count} {part}; at most {MOST_STAGES} are taken")
    document.finish()
    if document.size() > MOST_VALUES:
        raise document.root.fail(f"stands for more than {MOST_VALUES} values; aliases count as what they stand for")


class _Reader:
    def __init__(self, document: Document, top: dict[str, Field]) -> None:
        self._document = document
        self._top = top

    def process(self, version: int) -> Process:
        """Raises when a part that others refer to cannot be read; lesser complaints are collected."""
        top = self._top
        if top["format"].text() != FORMAT:
            raise top["format"].fail(f"this program reads format {FORMAT}")
        code = top["process"].parse(read_code)
        kind = _one_of(top["kind"], RequestKind)
        fields = top["stages"].entries()
        if not fields:
            raise top["stages"].fail("needs at least one stage")
        outcomes = {name: self._outcome(entry) for name, entry in _named(top["outcomes"]).items()}
        if not outcomes:
            raise top["outcomes"].fail("needs at least one outcome")
        stages: dict[str, Stage] = {}
        for name, entry in fields.items():
            with self._document.collecting():
                stages[_read_name(name, entry)] = self._stage(entry, fields.keys(), outcomes)
        start = _known(top["start"], fields, "stage")
        process = Process(
            code=code,
            version=version,
            kind=RequestKind(kind),
            start=start,
            stages=stages,
            outcomes=outcomes,
            product_lines=_words(top.get("product_lines")),
            pauses=self._pauses(),
            reopening=self._reopening(fields),
            cancelling=_words(top.get("cancelling")),
        )
        if len(stages) == len(fields):
            self._check_ways(process, fields)
        self._document.finish()
        return process

    def require_words(self, process: Process, worded: Worded) -> None:
        """Customers see every stage and every reason to wait, so each needs words."""
        fields = self._top["stages"].entries()
        for name, stage in process.stages.items():
            if name not in worded.stages and not stage.words:
                with self._document.collecting():
                    raise fields[name].fail("the status page has no words for this stage; give `words`")
        for name in process.pauses:
            if name not in worded.pauses:
                with self._document.collecting():
                    known = ", ".join(sorted(worded.pauses))
                    raise self._top["pauses"].fail(f"the status page has no words for {name}; it has for {known}")

    def refuse_personal(self, process: Process, personal: PersonalNames) -> None:
        """What may be neither said nor recorded must not be asked for: no request could leave the stage."""
        fields = self._top["stages"].entries()
        for name, stage in process.stages.items():
            found = find_personal(personal, stage.required, "required")
            for control, recorded in stage.control_points.items():
                part = "controls" if control in stage.controls else "optional_controls"
                found += find_personal(personal, recorded, f"{part}.{control}")
            for finding in found:
                with self._document.collecting():
                    raise fields[name].fail(f"{finding.field} {finding.message}")

    def _stage(self, field: Field, stages: Collection[str], outcomes: Collection[str]) -> Stage:
        members = field.members(frozenset(), _STAGE)
        controls = _control_points(members.get("controls"))
        optional_controls = _control_points(members.get("optional_controls"))
        if both := controls.keys() & optional_controls.keys():
            raise members["optional_controls"].fail(f"{', '.join(sorted(both))} stands under controls too")
        return Stage(
            role=members["role"].parse(read_code) if "role" in members else None,
            is_key="key" in members and members["key"].parse(read_truth),
            next=_all_known(members.get("next"), stages, "stage"),
            rework=_all_known(members.get("rework"), stages, "stage"),
            outcomes=_all_known(members["outcomes"], outcomes, "outcome") if "outcomes" in members else None,
            required=_words(members.get("required")),
            controls=controls,
            optional_controls=optional_controls,
            waits_for=Waiting(_one_of(members["waits_for"], Waiting)) if "waits_for" in members else None,
            words=_stage_words(members["words"]) if "words" in members else {},
        )

    def _outcome(self, field: Field) -> Outcome:
        members = field.members(frozenset(), frozenset({"reasons", "unchecked", "despite_doubts"}))
        unchecked, despite_doubts = (
            name in members and members[name].parse(read_truth) for name in ("unchecked", "despite_doubts")
        )
        return Outcome(_words(members.get("reasons")), unchecked, despite_doubts)

    def _pauses(self) -> dict[str, Waiting]:
        field = self._top.get("pauses")
        return {} if field is None else {n: Waiting(_one_of(e, Waiting)) for n, e in _named(field).items()}

    def _reopening(self, stages: Collection[str]) -> Reopening | None:
        field = self._top.get("reopening")
        if field is None:
            return None
        members = field.members(frozenset({"within", "stage", "reasons"}))
        reasons = _words(members["reasons"])
        if not reasons:
            raise members["reasons"].fail("needs at least one reason")
        return Reopening(members["within"].parse(read_span), _known(members["stage"], stages, "stage"), reasons)

    def _check_ways(self, process: Process, fields: dict[str, Field]) -> None:
        """Every stage can be reached, and from every stage the request can end."""
        reached, ending = find_reached(process), find_ending(process)
        for name, field in fields.items():
            with self._document.collecting():
                if name not in reached:
                    raise field.fail("no move leads to this stage")
                if name not in ending:
                    raise field.fail("a request could neither be closed in this stage nor in any that follows")


def _read_name(name: str, field: Field) -> str:
    try:
        return read_word(name)
    except ValueError as error:
        raise field.fail(str(error)) from None


def _named(field: Field) -> dict[str, Field]:
    """The entries of a mapping whose names are words."""
    return {_read_name(name, entry): entry for name, entry in field.entries().items()}


def _control_points(field: Field | None) -> dict[str, tuple[str, ...]]:
    return {} if field is None else {name: _words(entry) for name, entry in _named(field).items()}


def _words(field: Field | None) -> tuple[str, ...]:
    return () if field is None else tuple(field.distinct(read_word))


def _all_known(field: Field | None, known: Collection[str], what: str) -> tuple[str, ...]:
    if field is None:
        return ()
    for entry in field.items_or_self():
        _known(entry, known, what)
    return _words(field)


def _known(field: Field, known: Collection[str], what: str) -> str:
    text = field.text()
    if text not in known:
        more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
        raise field.fail(f"there is no {what} {text!r}; known are {', '.join(islice(known, _MOST_NAMED))}{more}")
    return text


def _one_of(field: Field, words: Iterable[str]) -> str:
    known = [str(word) for word in words]
    if field.text() not in known:
        raise field.fail(f"{field.text()!r} is not one of {', '.join(known)}")
    return field.text()


def _stage_words(field: Field) -> dict[Language, StageWords]:
    found: dict[Language, StageWords] = {}
    for language, entry in field.members(frozenset(Language)).items():
        members = entry.members(frozenset({"name", "now"}))
        for member in members.values():
            if len(member.text()) > _LONGEST_WORDS:
                raise member.fail(f"has more than {_LONGEST_WORDS} characters")
        found[Language(language)] = StageWords(members["name"].text(), members["now"].text())
    return found
