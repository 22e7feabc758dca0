"""Who sees which request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.api.visibility import acting, review_sight_of, submitting_channel, visibility_of
from services.intake.domain import moves
from services.intake.domain.reviews import ReviewSight
from services.intake.domain.visibility import EVERYTHING, Visibility
from shared.http import Problem
from shared.http.access import KeyTerms, Principal, Scope, StaffRole

SEE_ALL = frozenset({StaffRole.MANAGER, StaffRole.ADMINISTRATOR, StaffRole.AUDITOR, StaffRole.QUALITY_REVIEWER})

names = st.sampled_from(["app", "web", "claims_hk", "claims_tw", "chan.tai-man"])
teams = st.frozensets(names)
people = st.builds(
    lambda name, roles, teams: Principal(name, name, "staff", roles, teams),
    names,
    st.frozensets(st.sampled_from(list(StaffRole))),
    teams,
)
channels = names.map(lambda name: Principal(name, name, "channel", terms=KeyTerms(name)))
requests = st.tuples(names, st.none() | names)


@given(channels, requests)
def test_a_channel_sees_its_own_and_nothing_else(channel: Principal, request: tuple[str, str | None]) -> None:
    assert visibility_of(channel).shows(*request) == (request[0] == channel.name)


@given(people, requests)
def test_people_see_what_their_teams_have_and_what_no_team_has_unless_a_role_sees_all(
    person: Principal, request: tuple[str, str | None]
) -> None:
    expected = bool(person.roles & SEE_ALL) or request[1] is None or request[1] in person.teams
    assert visibility_of(person).shows(*request) == expected


@given(names)
def test_a_service_sees_all(name: str) -> None:
    assert visibility_of(Principal(name, name, "service")) == EVERYTHING


@given(people, st.sampled_from(list(StaffRole)), requests)
def test_one_more_role_hides_nothing(person: Principal, role: StaffRole, request: tuple[str, str | None]) -> None:
    more = Principal(person.subject, person.name, "staff", person.roles | {role}, person.teams)
    assert visibility_of(more).shows(*request) >= visibility_of(person).shows(*request)


@given(people)
def test_what_was_chosen_for_a_review_is_shown_to_who_sees_all_and_to_nobody_else(person: Principal) -> None:
    expected = ReviewSight.ALL if person.roles & SEE_ALL else ReviewSight.FINISHED
    assert review_sight_of(person) is expected


@given(channels)
def test_a_channel_is_shown_no_review(channel: Principal) -> None:
    assert review_sight_of(channel) is ReviewSight.NOTHING


@given(st.none() | st.frozensets(st.sampled_from(list(Scope))), st.frozensets(st.sampled_from(list(StaffRole))))
def test_a_program_is_told_what_was_chosen_by_its_roles_and_its_scopes(
    scopes: frozenset[Scope] | None, roles: frozenset[StaffRole]
) -> None:
    program = Principal("tool", "tool", "service", roles, terms=KeyTerms("tool", scopes))
    is_told = bool(roles & SEE_ALL) and (scopes is None or Scope.QUALITY in scopes)
    assert review_sight_of(program) is (ReviewSight.ALL if is_told else ReviewSight.FINISHED)


def test_a_channel_with_teams_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="channels have no teams"):
        Visibility("app", frozenset())


def person(*roles: StaffRole, name: str = "chan.tai-man") -> Principal:
    return Principal("7f3a", name, "staff", frozenset(roles))


def test_who_only_handles_acts_in_his_own_name() -> None:
    handler = person(StaffRole.HANDLER)
    assert acting(handler, moves.Respond()) == moves.Respond("chan.tai-man")
    assert acting(handler, moves.Respond("chan.tai-man")) == moves.Respond("chan.tai-man")
    with pytest.raises(Problem) as refused:
        acting(handler, moves.Respond("s-104"))
    assert (refused.value.status, refused.value.code) == (403, "other_handler")


def test_a_name_that_events_cannot_carry_is_left_out() -> None:
    assert acting(person(StaffRole.HANDLER, name="chan@insurer.example"), moves.Respond()) == moves.Respond()


@pytest.mark.parametrize("role", [StaffRole.TEAM_LEADER, StaffRole.MANAGER, StaffRole.ADMINISTRATOR])
def test_who_leads_may_say_who_did_it(role: StaffRole) -> None:
    assert acting(person(StaffRole.HANDLER, role), moves.Respond("s-104")) == moves.Respond("s-104")


def test_a_channel_says_who_did_it() -> None:
    assert acting(Principal("app", "app", "channel"), moves.Respond("s-104")) == moves.Respond("s-104")


def test_anybody_who_may_assign_may_name_anybody() -> None:
    assert acting(person(StaffRole.HANDLER), moves.Assign(None, "s-104")) == moves.Assign(None, "s-104")


def test_requests_are_submitted_with_a_key() -> None:
    assert submitting_channel(Principal("app", "app", "channel", terms=KeyTerms("file:app"))) == "app"
    with pytest.raises(Problem) as refused:
        submitting_channel(person(StaffRole.ADMINISTRATOR))
    assert (refused.value.status, refused.value.code) == (403, "key_needed")
