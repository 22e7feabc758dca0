"""The proof that a period's sample is what plan and secret dictate."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from services.quality_audit.domain.frame import Difference, Digest, differences
from services.quality_audit.domain.selection import commitment, secret_of_period
from services.quality_audit.store import frame
from shared.postgres import Connection

_MOST_DIFFERENCES = 100  # enough to see what went wrong; the count tells how much of it


@dataclass(slots=True)
class Proof:
    """Attributes:
    is_secret_committed: the secret is the one that was committed to when the period began.
    frame_digest, sample_digest: identify all units, and the sampled ones.
    examples: the first differences.
    """

    period: str
    plan_digest: str
    plan_version: int
    secret_commitment: str
    is_secret_committed: bool
    frame_digest: str = ""
    sample_digest: str = ""
    units: int = 0
    sampled: int = 0
    differing: int = 0
    examples: list[Difference] = field(default_factory=list)


async def prove(connection: Connection, period: str, master: bytes) -> Proof | None:
    """Recompute every choice of a period; None when nothing was closed in it."""
    opened = await frame.find_period(connection, period)
    if opened is None:
        return None
    proof = Proof(
        period=period,
        plan_digest=opened.plan_text.digest,
        plan_version=opened.plan_text.plan.version,
        secret_commitment=opened.secret_commitment,
        is_secret_committed=commitment(secret_of_period(master, period)) == opened.secret_commitment,
    )
    whole, sampled = Digest(), Digest()
    async for page in frame.frame_of(connection, period):
        for unit in page:
            whole.add(unit)
            if unit.is_sampled:
                sampled.add(unit)
                proof.sampled += 1
        proof.units += len(page)
        found = list(differences(page, opened.plan_text.plan, master))
        proof.differing += len({difference.id for difference in found})
        proof.examples += found[: _MOST_DIFFERENCES - len(proof.examples)]
        await asyncio.sleep(0)  # other requests get their turn between pages
    proof.frame_digest, proof.sample_digest = whole.text(), sampled.text()
    return proof
