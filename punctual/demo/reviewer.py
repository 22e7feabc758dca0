"""A reviewer who scores what quality_audit sampled. A verdict comes from the id of the sample: a repeat is the same."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import timedelta
from random import Random
from typing import Any

import httpx

from punctual.channel.answers import GaveUp, Refused
from punctual.channel.retrying import RetryingHttp
from shared.waiting import first_of

_EVERY = 1.5  # real seconds
_AT_ONCE = 20
_PATIENCE = timedelta(seconds=5)  # a service that is down is asked again in the next round
_REVIEWERS = ("q-1", "q-2", "q-3")
_INACCURATE, _INCOMPLETE = 0.03, 0.05
_CAUSES_OF_INACCURACY = ("amount_wrong", "wrong_coverage", "letter_wrong")
_CAUSES_OF_INCOMPLETENESS = ("document_missing", "identity_not_checked", "note_missing")


def verdict(sample_id: str) -> dict[str, Any]:
    """The body of the review."""
    random = Random(f"review {sample_id}")  # noqa: S311  reproducible, not secret
    is_accurate = random.random() >= _INACCURATE
    is_complete = random.random() >= _INCOMPLETE
    causes = [] if is_accurate else [random.choice(_CAUSES_OF_INACCURACY)]
    causes += [] if is_complete else [random.choice(_CAUSES_OF_INCOMPLETENESS)]
    return {
        "reviewer": random.choice(_REVIEWERS),
        "is_accurate": is_accurate,
        "is_complete": is_complete,
        "error_causes": causes,
    }


class Reviewer:
    """Args:
    http: for quality_audit.
    key: a staff key.
    """

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self._calls = RetryingHttp(http, _PATIENCE)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._left_out: set[str] = set()

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            with contextlib.suppress(GaveUp):
                await self.review_open()
            await first_of(_EVERY, stopping)

    async def review_open(self) -> None:
        """Review the oldest samples that nobody has reviewed."""
        try:
            page = await self._calls.json("GET", f"/v1/samples?state=open&limit={_AT_ONCE}", headers=self._headers)
        except Refused:
            return
        for sample in page["samples"]:
            if sample["id"] in self._left_out:
                continue
            content = json.dumps(verdict(sample["id"])).encode()
            try:
                await self._calls.call(
                    "POST", f"/v1/samples/{sample['id']}/review", headers=self._headers, content=content
                )
            except Refused:  # such as a verdict given by somebody else meanwhile
                self._left_out.add(sample["id"])
