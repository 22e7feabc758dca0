"""Reminders come when a stage has waited for the house, as often as the rule says, and to whom it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake.domain import moves
from services.intake.domain.automation.deciding import Past
from services.intake.domain.automation.reading import read_automation
from services.intake.domain.automation.reminding import coming_reminders, next_look
from services.intake.domain.automation.rules import RuleSet
from services.intake.domain.automation.trying import Trial
from services.intake.domain.changes import ProcessChanged
from services.intake.domain.moves import Move
from services.intake.domain.reminded import Reminded
from tests.unit.intake.automation.lives import HOUR, MINUTE, MOTOR, START, changed, looked_at, moved, submitted
from tests.unit.intake.shipped import AUTOMATION

OUT, BACK = moves.Pause("customer_documents", ()), moves.Resume("customer_documents")


def rule(remind: str = "{after: 4h elapsed, every: 2h elapsed, at_most: 3}", when: str = "{kind: claim}") -> RuleSet:
    text = f'format: "1"\nrules: [{{rule: nudge, when: {when}, remind: {remind}}}]'
    return read_automation(text, "automation.yml")


RULES = rule()


def test_the_first_one_comes_when_the_stage_has_waited_so_long_and_names_its_owner() -> None:
    case = submitted()
    (coming,) = coming_reminders(RULES, case)
    assert coming.reminded == Reminded("nudge", "received", 1, 1, START, START + 4 * HOUR, ("claims_intake",))
    assert coming.cause == "rule:nudge"


def test_repeats_count_from_the_one_before_and_come_as_often_as_the_rule_says() -> None:
    case, said = submitted(), []
    for at in (4 * HOUR, 6 * HOUR + 30 * MINUTE, 8 * HOUR + 30 * MINUTE):  # the second one is noticed late
        case, due = looked_at(RULES, case, START + at)
        said += [(coming.reminded.number, coming.due_at - START) for coming in due]
    assert said == [(1, 4 * HOUR), (2, 6 * HOUR), (3, 8 * HOUR + 30 * MINUTE)]
    assert coming_reminders(RULES, case) == ()


def test_what_an_outage_missed_comes_once() -> None:
    case, due = looked_at(RULES, submitted(), START + timedelta(days=3))
    assert [coming.reminded.number for coming in due] == [1]
    assert next_look(RULES, case) == START + timedelta(days=3, hours=2)


def test_the_next_stage_begins_anew() -> None:
    case, _ = looked_at(RULES, submitted(), START + 4 * HOUR)
    case = moved(case, moves.EnterStage("assessment"), START + 5 * HOUR)
    (coming,) = coming_reminders(RULES, case)
    assert (coming.due_at, coming.reminded.number) == (START + 9 * HOUR, 1)
    assert (coming.reminded.stage, coming.reminded.stage_entry) == ("assessment", 3)
    assert coming.reminded.notify_roles == ("motor_assessor",)


def test_it_counts_from_when_the_stage_was_entered_and_not_from_when_that_was_told() -> None:
    case = moved(submitted(), moves.EnterStage("assessment"), START + HOUR, told_at=START + 3 * HOUR)
    assert next_look(RULES, case) == START + 5 * HOUR


def test_who_waits_for_somebody_outside_gets_none_and_later_ones_by_as_much() -> None:
    case = moved(submitted(), OUT, START + HOUR)
    assert coming_reminders(RULES, case) == ()
    assert next_look(RULES, case) is None
    case = moved(case, moves.Pause("third_party", ()), START + 2 * HOUR)
    case = moved(case, BACK, START + 5 * HOUR)
    assert next_look(RULES, case) is None  # the third party is still waited for
    case = moved(case, moves.Resume("third_party"), START + 7 * HOUR)
    assert next_look(RULES, case) == START + 10 * HOUR


def test_a_pause_goes_on_in_the_stage_that_is_entered_meanwhile() -> None:
    case = moved(submitted(), OUT, START + HOUR)
    case = moved(case, moves.EnterStage("assessment"), START + 2 * HOUR)
    assert next_look(RULES, case) is None
    assert next_look(RULES, moved(case, BACK, START + 4 * HOUR)) == START + 8 * HOUR


def test_a_pause_for_the_house_itself_is_waiting_like_any_other() -> None:
    case = moved(submitted(), moves.Pause("second_opinion", ()), START + HOUR)
    assert next_look(RULES, case) == START + 4 * HOUR


def test_a_stage_that_was_left_waits_until_the_next_one_begins() -> None:
    case = moved(submitted(), moves.LeaveStage(None), START + HOUR)
    assert next_look(RULES, case) == START + 4 * HOUR


@pytest.mark.parametrize(
    "ending", [moves.Close("withdrawn", None), moves.Cancel("test"), moves.MergeInto(submitted().request_id)]
)
def test_what_is_over_is_not_reminded_of(ending: Move) -> None:
    case = moved(moved(submitted(), OUT, START + HOUR), ending, START + 2 * HOUR)
    assert coming_reminders(RULES, case) == ()


def test_a_reopened_request_waits_anew_and_its_old_pause_is_over() -> None:
    case = moved(submitted(), OUT, START + HOUR)
    case = moved(case, moves.Close("withdrawn", None), START + 2 * HOUR)
    case = moved(case, moves.Reopen("our_mistake"), START + 20 * HOUR)
    assert next_look(RULES, case) == START + 24 * HOUR


@pytest.mark.parametrize(("stage", "since"), [("received", 0), ("assessment", 2)])
def test_another_version_of_the_process_begins_anew_only_in_another_stage(stage: str, since: int) -> None:
    change = ProcessChanged("claim_motor", 2, stage, "new_rules")
    case = changed(submitted(), [change], START + 2 * HOUR, START + 2 * HOUR)
    assert next_look(RULES, case) == START + (since + 4) * HOUR


def test_working_time_is_that_of_the_market() -> None:
    text = AUTOMATION.replace("on: false", "on: true").replace("18h working", "4h working")
    rules = read_automation(text, "automation.yml")
    # From 17:00 in Hong Kong: an hour until 18:00, and three from 09:00 on the next day, which is 01:00 UTC.
    assert next_look(rules, submitted()) == START + timedelta(hours=16 + 3)
    mainland = replace(submitted(), market="CN")  # an hour until 18:00, then 09:00 to 12:00
    assert next_look(rules, mainland) == START + timedelta(hours=19)
    paused = moved(moved(submitted(), OUT, START + 10 * HOUR), BACK, START + 17 * HOUR)  # seven hours, one of them open
    assert next_look(rules, paused) == START + timedelta(hours=20)


def test_roles_are_the_ones_named_and_the_owner_where_the_rule_says_so() -> None:
    told = rule("{after: 1h elapsed, to: [team_lead, owner, claims_intake]}")
    (coming,) = coming_reminders(told, submitted())
    assert coming.reminded.notify_roles == ("team_lead", "claims_intake")
    nobody = replace(MOTOR, stages={**MOTOR.stages, "received": replace(MOTOR.stages["received"], role=None)})
    assert coming_reminders(RULES, submitted(process=nobody)) == ()
    (coming,) = coming_reminders(told, submitted(process=nobody))
    assert coming.reminded.notify_roles == ("team_lead", "claims_intake")


def test_a_rule_reminds_only_while_its_condition_holds_and_while_it_is_on() -> None:
    rules = rule(when="{stage: assessment, waits_for: house}")
    case = submitted()
    assert next_look(rules, case) is None
    assert next_look(rules, moved(case, moves.EnterStage("assessment"), START)) == START + 4 * HOUR
    assert next_look(rule(when="{waits_for: supplier}"), case) is None
    off = RuleSet((), tuple(replace(each, is_on=False) for each in RULES.reminders))
    assert next_look(off, case) is None


def test_what_only_the_database_knows_is_left_open_until_it_is_looked_at() -> None:
    rules = rule(when="{requests_before: {at_least: 2}}")
    case = submitted()
    assert next_look(rules, case) == START + 4 * HOUR
    assert coming_reminders(rules, case) == ()
    assert len(coming_reminders(rules, replace(case, past=Past(requests=2)))) == 1


def test_the_earliest_of_several_rules_comes_first() -> None:
    text = """
format: "1"
rules:
  - {rule: later, when: {kind: claim}, remind: {after: 2h elapsed}}
  - {rule: sooner, when: {kind: claim}, remind: {after: 1h elapsed}}
"""
    rules = read_automation(text, "automation.yml")
    assert [coming.reminded.rule for coming in coming_reminders(rules, submitted())] == ["sooner", "later"]
    assert next_look(rules, submitted()) == START + HOUR


def test_a_calendar_without_enough_open_time_never_reminds() -> None:
    once = 'extra_hours: [["2026-11-24T17:00", "2026-11-24T18:00"]]'
    text = f"""
format: "1"
rules: [{{rule: nudge, when: {{kind: claim}}, remind: {{after: 4h working}}}}]
calendars:
  none: {{timezone: Asia/Hong_Kong, known_until: 2099-12-31, weekly: {{mon: [["09:00", "10:00"]]}}, {once},
    closures: [["2026-11-25T00:00", "2500-01-01T00:00"]]}}
markets: {{HK: none, CN: none, TW: none}}
"""
    assert next_look(read_automation(text, "automation.yml"), submitted()) is None


def test_a_trial_says_how_often_a_rule_would_have_reminded_and_of_which() -> None:
    quick = moved(submitted(), moves.EnterStage("assessment"), START + HOUR)
    quick = moved(quick, moves.Close("declined", None, "fraud"), START + 2 * HOUR)
    slow = moved(submitted(), moves.EnterStage("assessment"), START + 7 * HOUR)
    late = moved(submitted(), OUT, START + HOUR, told_at=START + 5 * HOUR)  # the reminder came before that was told
    trial = Trial(RULES, most_listed=2, until=START + 12 * HOUR)
    for name, case in (("quick", quick), ("slow", slow), ("late", late)):
        trial.take(name, case)
    found = trial.results["nudge"]
    assert (trial.requests, found.acted, found.times, found.agreed, found.disagreed) == (3, 2, 4, 0, 0)
    assert [(each.reference, each.sequence, each.at) for each in found.listed] == [
        ("slow", 1, START + 4 * HOUR),
        ("slow", 1, START + 6 * HOUR),
    ]


def test_a_trial_passes_over_what_was_said_in_truth() -> None:
    case, _ = looked_at(RULES, submitted(), START + 5 * HOUR)
    trial = Trial(RULES, most_listed=5, until=START + 6 * HOUR + MINUTE)
    trial.take("R-1", case)
    assert [each.at for each in trial.results["nudge"].listed] == [START + 4 * HOUR, START + 6 * HOUR]


def test_a_reminder_takes_nothing_away_from_rules_that_act() -> None:
    case, _ = looked_at(RULES, submitted(), START + 4 * HOUR)
    assert isinstance(case.history[-1].change, Reminded)
    assert case.life == replace(submitted().life, version=2)
