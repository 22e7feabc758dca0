"""The given vectors of the quality model, for the operations that exist here.

They lie beside the project and are not part of it; where they are absent there is nothing to compare with.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.quality_audit.domain.estimation import Cell, error_rate, mover
from services.quality_audit.domain.intervals import Method, clopper_pearson, jeffreys
from services.quality_audit.domain.selection import TICKETS, is_chosen, ticket_of

FOLDER = Path(__file__).parents[4] / "shared" / "quality_vectors"
METHODS: dict[str, Method] = {"jeffreys": jeffreys, "clopper_pearson": clopper_pearson}

Given = dict[str, Any]


def ci(given: Given) -> Given:
    assert given["side"] == "two-sided"
    limits = METHODS[given["method"]](given["k"], given["n"], (1 - given["conf"]) / 2)
    return {"low": limits.low, "high": limits.high}


def _cells(given: Given) -> list[Cell]:
    return [Cell("all", (s["stratum"],), s["N"], s["n"], s["errors"]) for s in given["strata"]]


def mover_of(given: Given) -> Given:
    """Where a vector reviewed a whole stratum it still has the limits of a sample. The model's rule that a census has
    no sampling error stands before MOVER, in Cell.limits, so MOVER gets the plain limits here."""
    method, tail = METHODS[given["stratum_method"]], (1 - given["conf"]) / 2
    limits = mover(_cells(given), [method(s["errors"], s["n"], tail) for s in given["strata"]])
    return {"error_rate": error_rate(_cells(given)), "low": limits.low, "high": limits.high}


def stratified_proportion(given: Given) -> Given:
    rate = error_rate(_cells(given))
    assert rate is not None
    return {"error_rate": rate, "accuracy": 1 - rate}


def hmac_unit(given: Given) -> Given:
    ticket = ticket_of(bytes.fromhex(given["key_hex"]), bytes.fromhex(given["message_hex"]))
    return {"u64": ticket, "u": ticket / TICKETS}


def threshold_sample(given: Given) -> Given:
    assert given["cases"] == "case-0001..case-0120"
    cases = [f"case-{number:04d}" for number in range(1, 121)]
    chosen = partial(ticket_of, given["key_text"].encode())
    return {"sample": [case for case in cases if is_chosen(chosen(case.encode()), given["p"])]}


OPERATIONS: dict[tuple[str, str], Callable[[Given], Given]] = {
    ("proportion_ci", "ci"): ci,
    ("estimation", "mover"): mover_of,
    ("estimation", "stratified_proportion"): stratified_proportion,
    ("hash_sampling", "hmac_unit"): hmac_unit,
    ("hash_sampling", "threshold_sample"): threshold_sample,
}


def _vectors() -> list[Any]:
    found = []
    for family, operation in OPERATIONS:
        path = FOLDER / f"{family}.json"
        vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"] if path.exists() else []
        found += [
            pytest.param(family, vector, id=vector["id"])
            for vector in vectors
            if vector["op"] == operation and _is_ours(vector["input"])
        ]
    return found


def _is_ours(given: Given) -> bool:
    """Wilson, Wald and Agresti-Coull intervals are not computed here."""
    return given.get("method", given.get("stratum_method", "jeffreys")) in METHODS


@pytest.mark.parametrize(("family", "vector"), _vectors())
def test_the_given_answer_is_found(family: str, vector: dict[str, Any]) -> None:
    computed = OPERATIONS[family, vector["op"]](vector["input"])
    common = computed.keys() & vector["expected"].keys()
    assert common
    for key in common:
        if "tol" in vector:
            assert computed[key] == pytest.approx(vector["expected"][key], abs=vector["tol"], rel=0), key
        else:
            assert computed[key] == vector["expected"][key], key
