"""Who a token speaks of, at issuers that name things differently."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.domain import survey
from services.intake.domain.automation import staying
from services.intake.ticker import retention
from services.sla_timer.handlers import modes
from shared.errors import ConfigurationError
from shared.http.access import ClaimNames, KeyTerms, Principal, StaffRole
from shared.http.access.claims import read_principal, role_names_of
from shared.http.access.identity import principal_of_key
from shared.http.access.tokens import TokenRefused
from shared.http.keys import Caller
from shared.http.own_names import OWN_NAMES
from shared.settings import PlatformSettings, load_settings


def principal(names: ClaimNames | None = None, **claims: Any) -> Principal:
    return read_principal({"sub": "7f3a", **claims}, names or ClaimNames())


def test_roles_teams_and_name_are_read() -> None:
    found = principal(roles=["handler", "team_leader"], teams=["motor-hk"], preferred_username="chan", scope="openid a")
    assert found == Principal(
        "7f3a",
        "chan",
        "staff",
        frozenset({StaffRole.HANDLER, StaffRole.TEAM_LEADER}),
        frozenset({"motor-hk"}),
        frozenset({"openid", "a"}),
    )


def test_claims_may_lie_inside_others_or_have_names_with_dots() -> None:
    names = ClaimNames(roles="realm_access.roles", teams="https://insurer.example/teams")
    found = principal(names, realm_access={"roles": ["auditor"]}, **{"https://insurer.example/teams": "claims"})
    assert found.roles == {StaffRole.AUDITOR}
    assert found.teams == {"claims"}


def test_with_a_mapping_only_its_names_count() -> None:
    names = ClaimNames(role_names=role_names_of({"SG-Claims-Leads": "team_leader"}))
    assert principal(names, roles=["SG-Claims-Leads", "administrator"]).roles == {StaffRole.TEAM_LEADER}


def test_a_mapping_to_a_role_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigurationError, match="PUNCTUAL_OIDC_ROLE_NAMES: 'Leads' leads to 'lead'"):
        role_names_of({"Leads": "lead"})


@pytest.mark.parametrize("roles", [None, 5, {"handler": True}, [["handler"], None, 7]])
def test_roles_that_are_no_names_are_no_roles(roles: Any) -> None:
    assert principal(roles=roles).roles == frozenset()


@pytest.mark.parametrize("name", [None, "", "two words", "chan\u200b", "x" * 200, 5])
def test_without_a_usable_name_the_subject_is_the_name(name: Any) -> None:
    assert principal(preferred_username=name).name == "7f3a"


def test_whatever_a_part_of_the_system_signs_with_is_taken() -> None:
    assert {staying.BY, survey.BY, retention._BY, modes._SELF} == OWN_NAMES


@pytest.mark.parametrize("name", sorted(OWN_NAMES))
def test_nobody_comes_in_the_name_of_a_part_of_the_system(name: str) -> None:
    for claim in ("preferred_username", "sub"):
        with pytest.raises(TokenRefused) as refused:
            read_principal({"sub": "7f3a", claim: name}, ClaimNames())
        assert refused.value.reason == "reserved_name"
    assert principal(sub=name, preferred_username="chan").name == "chan"


def test_a_client_on_its_own_behalf_is_a_service() -> None:
    assert principal(client_id="7f3a").kind == "service"
    assert principal(client_id="console").kind == "staff"


def test_a_staff_key_is_a_service_that_administers_and_a_channel_key_is_its_channel() -> None:
    staff = principal_of_key(Caller(name="app", role="staff"))
    channel = principal_of_key(Caller(name="app", role="channel"))
    terms = KeyTerms("file:app")
    assert staff == Principal("app", "app", "service", frozenset({StaffRole.ADMINISTRATOR}), terms=terms)
    assert channel == Principal("app", "app", "channel", terms=terms)
    assert (staff.visible_channel, channel.visible_channel) == (None, "app")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PUNCTUAL_OIDC_ISSUER", "http://login.insurer.example"),
        ("PUNCTUAL_OIDC_ISSUER", "login.insurer.example"),
        ("PUNCTUAL_OIDC_ROLE_NAMES", "Leads=team_leader"),
        ("PUNCTUAL_OIDC_ROLE_NAMES", "[]"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable) as refused:
        load_settings(PlatformSettings)
    assert value not in str(refused.value)


def test_an_issuer_on_this_machine_may_speak_without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUNCTUAL_OIDC_ISSUER", "http://127.0.0.1:8827")
    monkeypatch.setenv("PUNCTUAL_OIDC_ROLE_NAMES", '{"Claims Leads": "team_leader"}')
    settings = load_settings(PlatformSettings)
    assert settings.oidc_role_names == {"Claims Leads": "team_leader"}
