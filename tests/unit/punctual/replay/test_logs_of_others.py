"""The logs in the shared folder, where it is there: what is read must be what their descriptions say."""

from __future__ import annotations

from pathlib import Path

import pytest

from punctual.replay.logs import read_log
from punctual.replay.mapping import load_map
from punctual.replay.mapping.actions import Action
from punctual.replay.mapping.events import collect_events
from punctual.replay.planning import plan_cases
from services.intake.domain.changes import Submitted
from services.intake.domain.deciding import decide
from services.intake.domain.life import begin, evolve
from services.intake.domain.moves import Close, EnterStage, Move, Pause, Respond, Resume
from services.intake.domain.refusing import MoveRefused
from tests.unit.intake.shipped import process_of

ROOT = Path(__file__).resolve().parents[4]
DATA = ROOT.parent / "shared" / "data"

LOGS = {
    "helpdesk csv": ("helpdesk", "helpdesk_it/helpdesk.csv.gz", 4_580, 21_348),
    "helpdesk xes": ("helpdesk", "helpdesk_it/helpdesk.xes.gz", 4_580, 21_348),
    "teleclaims": ("teleclaims", "simulated_insurance_claims/teleclaims.xes.gz", 3_512, 46_138),
    "insurance claims": ("insurance-claims", "simulated_insurance_claims/log_claims_2021.csv.gz", 2_447, 30_593),
    "receipt permits": ("receipt-permits", "wabo_receipt_permits_nl/receipt.csv.gz", 1_434, 8_577),
    "building permits": ("building-permits", "bpic2015_1_permits_duedates/bpic15_1.csv.gz", 1_199, 52_217),
    "incidents": ("incidents", "bpic2014_rabobank_incidents_sample/BPIC14_incident_log.csv.gz", 4_000, 39_911),
    "city services": ("city-services", "boston311_sample_2015_2024/boston311_sample.csv.gz", 4_995, 9_990),
}
THERE = {name: log for name, log in LOGS.items() if (DATA / log[1]).is_file()}

_MOST_REFUSED = 0.03  # a map that fits its process has few moves that are refused


def move(action: Action) -> Move:
    what = action.object
    by_verb: dict[str, Move] = {
        "stage": EnterStage(what),
        "respond": Respond(),
        "pause": Pause(what),
        "resume": Resume(what),
        "close": Close(what, reason=action.reason),
    }
    return by_verb[action.verb]


if THERE:

    @pytest.mark.parametrize("name", THERE)
    def test_a_log_of_others_is_read_whole_and_its_map_fits_the_process(name: str) -> None:
        map_name, file, cases, events = THERE[name]
        log_map = load_map(Path(map_name))
        log = collect_events(
            read_log(
                DATA / file,
                log_format=log_map.format,
                delimiter=log_map.delimiter,
                encoding=log_map.encoding,
                needed=log_map.needed_columns(),
            ),
            log_map,
        )
        assert (len({event.case for event in log.events}), len(log.events), log.malformed) == (cases, events, [])
        plan = plan_cases(log.events, log_map, log_name=name)
        assert len(plan.cases) == cases
        refused = 0
        for case in plan.cases:
            followed = process_of(case.submission["kind"], case.submission.get("product_line"))
            life = begin(Submitted(followed.kind, 1, followed.start, process=followed.code), case.begins_at)
            for step in case.steps[1:]:
                try:
                    made = decide(followed, life, move(step.action), step.at)
                except MoveRefused:
                    refused += 1
                else:
                    for change in made:
                        life = evolve(life, change, step.at)
        assert refused <= plan.steps * _MOST_REFUSED
