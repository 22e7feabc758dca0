"""Attributes that would hold personal data are refused by their names, however they are written."""

from __future__ import annotations

import pytest

from services.intake.domain.validation.linting import find_remarks, rule_lines
from services.intake.domain.validation.reading import read_validation
from tests.unit.intake.validation.shipped import BOOK, TEXT, facts, found, rule, rules_text


@pytest.mark.parametrize(
    "name", ["birth_date", "Birth-Date", "birthDate", "BIRTH.DATE", "name", "email", "E_mail", "phone", "hkid", "iban"]
)
def test_a_personal_name_is_refused_and_the_answer_says_where_it_belongs(name: str) -> None:
    (finding,) = found(BOOK, facts({"amount": 5, name: "canary"}))
    assert (finding.severity, finding.field) == ("refuse", f"attributes.{name}")
    assert "`customer`" in finding.message
    assert "`description`" in finding.message
    assert "canary" not in repr(finding)


@pytest.mark.parametrize("name", ["amount", "age", "name_of_vessel", "phone_model", "addressee_kind", "workshop"])
def test_only_whole_names_count(name: str) -> None:
    assert "personal_attribute" not in {finding.rule for finding in found(BOOK, facts({name: 5}))}


def test_a_house_may_refuse_other_names_or_none() -> None:
    head, _, rest = TEXT.partition("personal:\n")
    rest = rest.partition("\nschemas:\n")[2]
    for names, refused in (("[vessel_owner]", ["attributes.VesselOwner"]), ("[]", [])):
        book = read_validation(f"{head}personal: {names}\nschemas:\n{rest}", "validation.yml")
        said = found(book, facts({"VesselOwner": "x", "email": "x"}))
        assert [finding.field for finding in said] == refused


@pytest.mark.parametrize(
    "check",
    [
        "requires: email",
        "forbids: E-mail",
        "types: {amount: number, email: code}",
        "must: {any: [{email: a}, {amount: 1}]}, field: amount",
        "must: {amount: 1}, when: {email: {known: true}}",
    ],
)
def test_a_rule_that_asks_about_a_personal_name_is_pointed_out(check: str) -> None:
    text = rules_text(rule(check))
    said = [remark.message for remark in find_remarks(read_validation(text, "f"), rule_lines(text, "f"), "f")]
    name = "E-mail" if "E-mail" in check else "email"
    assert said == [f"asks about {name}, which no request may have: it is `personal`"]
