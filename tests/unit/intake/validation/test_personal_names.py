"""Attributes that would hold personal data are refused by their names, however they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.validation.linting import find_remarks, rule_lines
from services.intake.domain.validation.personal_names import fold
from services.intake.domain.validation.reading import read_validation
from shared.rules.document import InvalidDocument
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


# What channels sent that was taken while only whole names were compared, and what is written alike.
OF_PERSONS = [
    *("owner_name", "patient_name", "third_party_name", "driverName", "NAME_OF_WITNESS", "name-of-insured"),
    *("driver_phone", "witness_phone", "home_phone", "phone_2", "tel", "mobileNo", "contact_no", "doctor.surname"),
    *("driver_email", "contact_email", "contact-e-mail", "risk_address", "address_line_2"),
    *("id_no", "hkid_no", "driverIDNumber", "HKIDNo", "passportNo"),
    *("customer_date_of_birth", "birth_date_of_child", "birthdate"),
]

OF_MATTERS = [
    *("amount", "age", "workshop", "policy_number", "plate", "repair_amount", "has_photos", "currency", "sum_insured"),
    *("product_name", "insuredProductName", "PLAN-NAME", "policy_name", "hotel_name", "product_name_2"),
    *("name_of_vessel", "proof_of_address", "copy_of_passport", "number_of_phones", "change_of_name"),
    *("phone_model", "addressee_kind", "hotel", "cartel", "email_verified", "7", "of"),
]


@pytest.mark.parametrize("name", OF_PERSONS)
def test_a_name_that_ends_in_a_personal_one_is_refused(name: str) -> None:
    assert [finding.field for finding in found(BOOK, facts({"amount": 5, name: "x"}))] == [f"attributes.{name}"]


@pytest.mark.parametrize("name", OF_MATTERS)
def test_a_name_that_only_holds_a_personal_one_or_says_what_and_not_who_is_taken(name: str) -> None:
    assert "personal_attribute" not in {finding.rule for finding in found(BOOK, facts({name: 5}))}


STYLES: dict[str, Callable[[Sequence[str]], str]] = {
    "snake": "_".join,
    "kebab": "-".join,
    "dotted": ".".join,
    "path": "/".join,
    "constant": lambda parts: "_".join(parts).upper(),
    "camel": lambda parts: parts[0] + "".join(part.title() for part in parts[1:]),
    "pascal": lambda parts: "".join(part.title() for part in parts),
}
PARTS = st.from_regex("[a-z]{2,8}", fullmatch=True).filter(lambda part: part != "of")
NAMES = st.lists(PARTS, min_size=1, max_size=4)


@given(st.sampled_from(sorted(BOOK.personal.names.values())), NAMES, st.sampled_from(sorted(STYLES)))
def test_whatever_stands_before_a_personal_name_it_is_refused_unless_it_makes_a_harmless_one(
    ending: str, before: list[str], style: str
) -> None:
    name = STYLES[style]([*before, *ending.split("_")])
    is_harmless = any(fold(name).endswith(key) for key in BOOK.personal.harmless)
    assert BOOK.personal.is_personal(name) or is_harmless


@given(st.sampled_from(sorted(BOOK.personal.harmless.values())), NAMES, st.sampled_from(sorted(STYLES)))
def test_whatever_stands_before_a_harmless_name_it_is_taken(ending: str, before: list[str], style: str) -> None:
    assert not BOOK.personal.is_personal(STYLES[style]([*before, *ending.split("_")]))


@given(NAMES, st.sampled_from(sorted(STYLES)), st.integers(0, 99))
def test_how_a_name_is_written_and_numbered_makes_no_difference(parts: list[str], style: str, number: int) -> None:
    name = STYLES[style](parts)
    assert BOOK.personal.is_personal(name) is BOOK.personal.is_personal("_".join(parts))
    assert BOOK.personal.is_personal(f"{name}_{number}") is BOOK.personal.is_personal(name)


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_none(text: str) -> None:
    assert BOOK.personal.is_personal(text) in (True, False)


def test_a_house_may_refuse_other_names_or_none() -> None:
    head, _, rest = TEXT.partition("personal:\n")
    rest = rest.partition("\nschemas:\n")[2]
    for names, refused in (("[vessel_owner]", ["attributes.VesselOwner"]), ("[]", [])):
        book = read_validation(f"{head}personal: {names}\nschemas:\n{rest}", "validation.yml")
        said = found(book, facts({"VesselOwner": "x", "email": "x"}))
        assert [finding.field for finding in said] == refused


def test_a_house_may_take_other_names_and_need_not_list_any() -> None:
    head, _, rest = TEXT.partition("harmless:\n")
    rest = rest.partition("\nschemas:\n")[2]
    for names, refused in (("harmless: [clinic_name]", "hotel_name"), ("", "clinic_name hotel_name")):
        book = read_validation(f"{head}{names}\nschemas:\n{rest}", "validation.yml")
        said = found(book, facts({"clinic_name": "x", "hotel_name": "x"}))
        assert [finding.field for finding in said] == [f"attributes.{name}" for name in refused.split()]


def test_a_name_is_not_both() -> None:
    text = TEXT.replace("harmless:\n", "harmless:\n  - E-Mail\n")
    with pytest.raises(InvalidDocument, match="harmless: E-Mail is `personal` as well"):
        read_validation(text, "validation.yml")


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
