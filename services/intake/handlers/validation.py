"""Looks at each request at the door: what the rules say, and whether its values are plausible. Nothing is stored here.

A request that is changed later, or comes of another one, is asked by the same rules; its values are not compared.

Whether a request came already is asked in the transaction that takes it in, see ``duplicates``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter

from services.intake.domain.anomalies.likeness import Duplicate, Portrait, plain
from services.intake.domain.anomalies.plausibility import number_of
from services.intake.domain.anomalies.signatures import sign
from services.intake.domain.doubts import LIKELY_DUPLICATE, Doubted
from services.intake.domain.life import Life
from services.intake.domain.record import RequestRecord
from services.intake.domain.submission import Submission
from services.intake.domain.validation.book import Finding, Severity, ValidationBook
from services.intake.domain.validation.checking import check, check_change, is_refused
from services.intake.domain.validation.facts import SubmittedFacts
from services.intake.domain.validation.personal import find_personal
from services.intake.handlers.data_quality import count_taken
from services.intake.handlers.pasts import Pasts
from services.intake.handlers.tallies import Tally
from shared.errors import PunctualError
from shared.values import value

DOUBTED = Counter("punctual_intake_doubts_total", "Doubts about requests, by rule.", ["rule"])

MESSAGES = {
    LIKELY_DUPLICATE: "it is likely a request that came already; merge it, or dismiss the doubt",
    "implausibly_high": "far above what such requests usually have",
    "implausibly_low": "far below what such requests usually have",
}

_ATTRIBUTES = "attributes."


class DataRefused(PunctualError):
    """What a request says cannot be true.

    Attributes:
        findings: those that refuse it.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(", ".join(finding.rule for finding in findings))
        self.findings = findings


@value
class Examined:
    """What was found about a request that is taken in.

    Attributes:
        findings: code of each doubt, and the facts it is about.
        portrait: what is compared with requests that came before.
    """

    findings: Mapping[str, tuple[str, ...]]
    portrait: Portrait

    def doubted(self, duplicates: Sequence[Duplicate]) -> Doubted | None:
        """The entry for its history.

        Args:
            duplicates: the requests that it is likely a duplicate of, the likest first.
        """
        findings = dict(self.findings)
        if duplicates:
            findings[LIKELY_DUPLICATE] = duplicates[0].likeness.reasons
        return Doubted(findings, tuple(UUID(one.request_id) for one in duplicates)) if findings else None


class Validation:
    """
    Args:
        book: what ``validation.yml`` says.
        secret: of the signatures of descriptions, 16 to 64 bytes.

    Attributes:
        sha256: of the file's text, in hexadecimal digits.
        loaded_at: when it was read, business time.
        messages: of each finding, for people. A code that several schemas use has the message of the last.
    """

    def __init__(self, book: ValidationBook, secret: bytes, *, sha256: str, loaded_at: datetime) -> None:
        self.book = book
        self.sha256 = sha256
        self.loaded_at = loaded_at
        self.pasts = Pasts(book.plausibility)
        self.tally = Tally()
        self.messages = {rule.code: rule.message for schema in book.schemas for rule in schema.rules} | MESSAGES
        self._secret = secret

    def examine(
        self,
        facts: SubmittedFacts,
        *,
        customer: str,
        external_id: str | None,
        description: str | None,
        submitted_at: datetime,
        recorded_at: datetime,
    ) -> Examined:
        """
        Args:
            customer, external_id: the channel's own ids.

        Raises:
            DataRefused: it cannot be taken in.
        """
        said = check(self.book, facts, submitted_at=submitted_at, recorded_at=recorded_at)
        doubts = _doubts_of(said)
        for oddity in self.pasts.judge(facts):
            doubts[oddity.code] = (*doubts.get(oddity.code, ()), oddity.attribute)
        policy = facts.get("policy_number")
        portrait = Portrait(
            channel=facts.channel,
            customer=customer,
            kind=facts.kind,
            product_line=facts.product_line,
            submitted_at=submitted_at,
            external_id=external_id,
            policy_number=plain(policy) if isinstance(policy, str) else None,
            amount=number_of(facts.get("amount")),
            signature=sign(description, self._secret) if description else None,
        )
        return Examined(doubts, portrait)

    def examine_branch(self, record: RequestRecord) -> Doubted | None:
        """What rules doubt about a request that comes of another one.

        Raises:
            DataRefused: it cannot be opened so.
        """
        first = record.history[0]
        facts = _facts_of_life(record, record.life)
        said = check(self.book, facts, submitted_at=first.occurred_at, recorded_at=first.recorded_at)
        doubts = _doubts_of(said)
        return Doubted(doubts) if doubts else None

    def examine_change(self, before: RequestRecord, after: Life) -> Doubted | None:
        """What rules doubt about a request because of what is different, unless it is in doubt already.

        Raises:
            DataRefused: it cannot be changed so.
        """
        first = before.history[0]
        said = check_change(
            self.book,
            _facts_of_life(before, before.life),
            _facts_of_life(before, after),
            submitted_at=first.occurred_at,
            recorded_at=first.recorded_at,
        )
        doubts = {rule: about for rule, about in _doubts_of(said).items() if rule not in before.life.doubts}
        return Doubted(doubts) if doubts else None

    def examine_recorded(self, names: Iterable[str]) -> None:
        """
        Args:
            names: of what is recorded with a control point.

        Raises:
            DataRefused: one of them is personal.
        """
        found = find_personal(self.book.personal, names, "recorded")
        if found:
            raise DataRefused(found)

    def took_in(self, submission: Submission, doubted: Doubted | None) -> None:
        """It is stored for good."""
        self.pasts.record(facts_of(submission))
        self.tally.accept(submission.channel, submission.recorded_at)
        if doubted is None:
            count_taken(submission.channel, submission.kind)
        count_doubts(doubted)


def count_doubts(doubted: Doubted | None) -> None:
    for rule in doubted.findings if doubted is not None else ():
        DOUBTED.labels(rule).inc()


def facts_of(submission: Submission) -> SubmittedFacts:
    return SubmittedFacts(
        kind=submission.kind,
        market=submission.market,
        channel=submission.channel,
        priority=submission.priority,
        customer_tier=submission.customer_tier,
        product_line=submission.product_line,
        attributes=submission.attributes,
    )


def _facts_of_life(record: RequestRecord, life: Life) -> SubmittedFacts:
    return SubmittedFacts(
        kind=life.kind,
        market=record.market,
        channel=record.channel,
        priority=life.priority,
        customer_tier=life.customer_tier,
        product_line=life.product_line,
        attributes=life.attributes,
    )


def _doubts_of(said: Sequence[Finding]) -> dict[str, tuple[str, ...]]:
    """The facts that each rule doubts.

    Raises:
        DataRefused: a rule refuses.
    """
    if is_refused(said):
        raise DataRefused([finding for finding in said if finding.severity is Severity.REFUSE])
    doubts: dict[str, tuple[str, ...]] = {}
    for finding in said:
        doubts[finding.rule] = (*doubts.get(finding.rule, ()), finding.field.removeprefix(_ATTRIBUTES))
    return doubts
