"""Intake does what its OpenAPI document says, called ten thousand times in every way the document allows and forbids.

The same with other seeds and ten times as many calls: ``make campaign ARGS=openapi``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from punctual.local.system import LocalSystem
from tests.conftest import Servers
from tests.openapi.campaign import call_intake
from tests.openapi.running_intake import ROOT, running_intake

CALLS = 10_000


@contextmanager
def _own_kafka(folder: Path) -> Iterator[str]:
    """Other tests leave records on theirs that are no events; intake stops when it hears nothing else."""
    system = LocalSystem(folder / "home", ports="auto", services=(), foundations=("kafka",), report=print)
    system.start()
    try:
        yield system.kafka_bootstrap
    finally:
        system.stop()


@pytest.mark.timeout(900)  # one run of three minutes, on a machine that has other work to do
def test_every_answer_is_one_that_the_document_declares(servers: Servers, tmp_path: Path) -> None:
    with _own_kafka(tmp_path) as bootstrap, running_intake(servers.admin_url, bootstrap, tmp_path) as intake:
        outcome = call_intake(intake, CALLS, 20261126, print)
    assert outcome.findings == {}, outcome.report()
    assert outcome.calls.total() >= CALLS
    described = json.loads((ROOT / "docs/api/openapi-intake.json").read_text(encoding="utf-8"))["paths"]
    operations = {f"{method.upper()} {path}" for path, item in described.items() for method in item}
    assert set(outcome.operations) == operations, "a call was never made"
    assert outcome.statuses.keys() >= {200, 201, 304, 400, 401, 403, 404, 405, 409, 412, 422}
    assert not [status for status in outcome.statuses if status >= 500]
