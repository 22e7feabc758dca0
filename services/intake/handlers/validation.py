"""Looks at each request at the door: what the rules say, and whether its values are plausible. Nothing is stored here.

Whether a request came already is asked in the transaction that takes it in, see ``duplicates``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter

from services.intake.domain.anomalies.likeness import Duplicate, Portrait, plain
from services.intake.domain.anomalies.plausibility import number_of
from services.intake.domain.anomalies.signatures import sign
from services.intake.domain.doubts import LIKELY_DUPLICATE, Doubted
from services.intake.domain.submission import Submission
from services.intake.domain.validation.book import Finding, Severity, ValidationBook
from services.intake.domain.validation.checking import check, is_refused
from services.intake.domain.validation.facts import SubmittedFacts
from services.intake.handlers.data_quality import count_taken
from services.intake.handlers.pasts import Pasts
from services.intake.handlers.tallies import Tally
from shared.errors import PunctualError
from shared.values import value

DOUBTED = Counter("punctual_intake_doubts_total", "Requests taken into quarantine, by rule.", ["rule"])

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
        if is_refused(said):
            raise DataRefused([finding for finding in said if finding.severity is Severity.REFUSE])
        doubts: dict[str, tuple[str, ...]] = {}
        for finding in said:
            doubts[finding.rule] = (*doubts.get(finding.rule, ()), finding.field.removeprefix(_ATTRIBUTES))
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

    def took_in(self, submission: Submission, doubted: Doubted | None) -> None:
        """It is stored for good."""
        self.pasts.record(facts_of(submission))
        self.tally.accept(submission.channel, submission.recorded_at)
        if doubted is None:
            count_taken(submission.channel, submission.kind)
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
