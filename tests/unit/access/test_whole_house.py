"""Routes that tell of all requests at once, and cannot be cut to what somebody sees: for whom they are, as shipped."""

from __future__ import annotations

import pytest

from shared.http.access import OVERSEERS, StaffRole
from tests.access.opening import matrix_of

FIGURES = [
    ("sla_timer", "GET /v1/summary"),
    ("notifier", "GET /v1/summary"),
    ("quality_audit", "GET /v1/score"),
]
NAMING = [
    ("intake", "GET /v1/streams"),
    ("intake", "GET /v1/data-quality"),
    ("notifier", "GET /v1/notices"),
    ("quality_audit", "GET /v1/samples"),
    ("quality_audit", "GET /v1/samples/{sample_id}"),
    ("quality_audit", "GET /v1/proof"),
    ("quality_audit", "GET /v1/summary"),
]
"""What names requests, or tells by its figures what happened to one."""


@pytest.mark.parametrize(("service", "route"), FIGURES)
def test_figures_of_the_whole_house_are_for_people_and_for_no_channel(service: str, route: str) -> None:
    assert matrix_of(service).routes[route].words == set(StaffRole)


@pytest.mark.parametrize(("service", "route"), NAMING)
def test_what_names_requests_of_all_teams_is_for_who_sees_all(service: str, route: str) -> None:
    assert matrix_of(service).routes[route].words == OVERSEERS
