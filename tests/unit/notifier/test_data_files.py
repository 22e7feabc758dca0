"""Wording and roles are data; what is wrong in them is named by file and field and stops the start."""

from __future__ import annotations

import copy
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.notifier.domain.wording.templates import parse_templates
from services.notifier.domain.wording.terms import parse_terms
from services.notifier.store.data_files import load_roles, load_wording
from shared.contracts.payload import Language
from shared.errors import ConfigurationError
from tests.unit.intake.shipped import PROCESSES

DATA = resources.files("services.notifier") / "data"
TERMS = yaml.safe_load((DATA / "terms.yaml").read_text(encoding="utf-8"))
ENGLISH = yaml.safe_load((DATA / "templates" / "en.yaml").read_text(encoding="utf-8"))


def refusal_of_template(kind: str, field: str, value: Any) -> str:
    document = copy.deepcopy(ENGLISH)
    document[kind][field] = value
    with pytest.raises(ConfigurationError) as refusal:
        parse_templates(document, parse_terms(TERMS, "terms.yaml"), "en.yaml")
    return str(refusal.value)


def test_the_packaged_files_are_whole() -> None:
    load_wording("http://127.0.0.1:8801")
    roles = load_roles(None)
    assert {"team_lead", "operations_manager", "head_of_operations"} <= set(roles)
    assert all(address.endswith("@insurer.example") for role in roles.values() for address in role.addresses)
    owners = {stage.role for process in PROCESSES.values() for stage in process.stages.values()}
    assert owners <= set(roles)  # reminders go to them


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        ("received", "facts", [{"Where": "${status_link}"}], "en.yaml: received: does not tell ${expected_by}"),
        ("received", "subject", "To ${nobody}", "en.yaml: received.subject: unknown slot ${nobody}"),
        ("received", "subject", "To ${term.nobody}", "en.yaml: received.subject: unknown slot ${term.nobody}"),
        ("received", "subject", "To ${name}", "en.yaml: received.subject: a name may not stand in a subject"),
        ("received", "subject", "Costs $5", "en.yaml: received.subject: a $ that opens no ${slot}"),
        ("received", "subject", "Dear $name", "en.yaml: received.subject: a $ that opens no ${slot}"),
        ("received", "subject", "a\nb", "en.yaml: received.subject: must be one line of text"),
        ("received", "opening", [], "en.yaml: received.opening: must be a list of paragraphs"),
        ("received", "closing", ["fine", 7], "en.yaml: received.closing[1]: must be one line of text"),
        (
            "received",
            "closing",
            ["${expected_by}"],
            "en.yaml: received: ${expected_by} may be missing, so it may stand",
        ),
        ("breach", "facts", "text", "en.yaml: breach.facts: must be a list of `label: value`"),
        ("breach", "opening", ["${name}"], "en.yaml: breach.opening[0]: unknown slot ${name}"),
        ("breach", "more", 1, "en.yaml: breach: must have exactly the fields"),
    ],
)
def test_a_template_that_could_fail_later_is_refused_now(kind: str, field: str, value: Any, message: str) -> None:
    assert message in refusal_of_template(kind, field, value)


def test_a_language_must_have_every_kind() -> None:
    document = {kind: entry for kind, entry in ENGLISH.items() if kind != "closed"}
    with pytest.raises(ConfigurationError, match=r"en\.yaml: must have exactly the kinds"):
        parse_templates(document, parse_terms(TERMS, "terms.yaml"), "en.yaml")


@pytest.mark.parametrize(
    ("languages", "message"),
    [
        ({"en": "a", "zh-Hant": "b"}, "terms.yaml: x: must have exactly the languages"),
        (
            {"en": "a", "zh-Hant": {"HK": "b"}, "zh-Hans": "c"},
            "terms.yaml: x.zh-Hant: must be one word or have exactly",
        ),
        ({"en": " ", "zh-Hant": "b", "zh-Hans": "c"}, "terms.yaml: x.en: must be text"),
    ],
)
def test_a_term_must_have_every_language_and_market(languages: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        parse_terms({"x": languages}, "terms.yaml")
    assert message in str(refusal.value)


def test_there_are_no_terms_for_languages_that_do_not_exist() -> None:
    assert all(set(languages) == set(Language) for languages in TERMS.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("roles: {}", "roles: must be a mapping of at least one role"),
        ("[]", "roles: must be a mapping of at least one role"),
        ("roles: {a: {addresses: [x@y.example], language: en}}\nmore: 1", "more: unknown field"),
        ("roles: {a: {addresses: [x@y.example]}}", "roles.a: must have exactly the fields addresses and language"),
        ("roles: {a: {addresses: [], language: en}}", "roles.a.addresses: must be a list of at least one address"),
        ("roles: {a: {addresses: [x@y.example, nobody], language: en}}", "roles.a.addresses[1]: is not a mail address"),
        (
            "roles: {a: {addresses: [x@y.example], language: fr}}",
            "roles.a.language: must be one of zh-Hant, zh-Hans, en",
        ),
        (
            f"roles: {{{'r' * 59}: {{addresses: [x@y.example], language: en}}}}",
            f"roles.{'r' * 59}: the name must have at most 58 characters",
        ),
    ],
)
def test_a_wrong_roles_file_names_file_and_field(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "roles.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refusal:
        load_roles(file)
    assert f"{file}: {message}" in str(refusal.value)


def test_a_roles_file_that_is_not_yaml_names_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "roles.yaml"
    file.write_text("roles: [", encoding="utf-8")
    with pytest.raises(ConfigurationError) as refusal:
        load_roles(file)
    assert str(refusal.value).startswith(f"{file}, line 1: is not YAML: ")


def test_a_roles_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: No such file"):
        load_roles(tmp_path / "nowhere.yaml")
