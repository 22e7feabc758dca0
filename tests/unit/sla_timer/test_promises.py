"""Objectives that only some versions of the rules promise."""

from __future__ import annotations

from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.domain.history import Happening
from tests.unit.sla_timer.cases import Life, at, elapsed, policy, promise, rules, working

NEXT_RESPONSE = promise("next_response", elapsed(2), starts=["message_received"], stops=["responded", "closed"])


def test_an_objective_that_the_new_rules_do_not_promise_is_cancelled() -> None:
    extra = promise("survey", elapsed(8), stops=["signalled:surveyed"])
    main = promise("resolution", working(4))
    life = Life.begin(at(9), main, extra, later=(rules(*policy(main), version=8),))
    life.apply(8, at(10))
    assert (life.state("survey"), life.reading("survey").cause) == (ClockState.CANCELLED, "not_promised")
    assert life.state("resolution") is ClockState.RUNNING


def test_an_objective_that_the_new_rules_promise_first_counts_from_when_it_would_have_begun() -> None:
    main, survey = promise("resolution", working(4)), promise("survey", elapsed(8), stops=["signalled:surveyed"])
    life = Life.begin(at(9), main, later=(rules(*policy(main, survey), version=8),))
    life.apply(8, at(10))
    assert (life.reading("survey").started_at, life.due("survey")) == (at(9), at(17))


def test_a_cycle_that_had_ended_before_it_was_promised_never_was() -> None:
    main = promise("resolution", working(4))
    life = Life.begin(at(9), main, later=(rules(*policy(main, NEXT_RESPONSE), version=8),))
    life.tell(Happening.MESSAGE_RECEIVED, at(9.5))
    life.tell(Happening.RESPONDED, at(10))
    life.apply(8, at(11))
    assert life.states("next_response") == []
    life.tell(Happening.MESSAGE_RECEIVED, at(12))
    assert life.reading("next_response").started_at == at(12)


def test_a_request_may_be_given_up_and_promised_again() -> None:
    main, survey = promise("resolution", working(4)), promise("survey", elapsed(8), stops=["signalled:surveyed"])
    both, one = policy(main, survey), policy(main)
    life = Life.begin(at(9), main, survey, later=(rules(*one, version=8), rules(*both, version=9)))
    life.apply(8, at(10))
    life.apply(9, at(11))
    assert life.states("survey") == ["cancelled"]  # what began it, the submission, does not come again
