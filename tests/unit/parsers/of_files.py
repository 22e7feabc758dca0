"""Parsers of files that a house keeps: definitions, rules, policies, words, maps, lists of who may do what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

import services.notifier
import services.quality_audit
import services.sla_timer
from punctual.commands import process
from punctual.replay.mapping import loading
from services.intake.api.frame import read_frame
from services.intake.api.words import parse_words
from services.intake.domain.automation.linting import remark_on_automation
from services.intake.domain.automation.reading import read_automation
from services.intake.domain.process_files import read_process
from services.intake.domain.process_linting import remark_on_process
from services.intake.domain.retention import read_retention
from services.intake.domain.validation.linting import rule_lines
from services.intake.domain.validation.reading import read_validation
from services.notifier.domain.roles import parse_roles
from services.notifier.domain.wording.templates import parse_templates
from services.notifier.domain.wording.terms import parse_terms
from services.notifier.store import data_files
from services.quality_audit.domain.plan_text import PlanRefused, parse_plan
from services.sla_timer.domain.policies import policy_lines
from services.sla_timer.domain.rulebook import RuleSources, read_rulebook
from shared.errors import ConfigurationError
from shared.http.access.matrix import read_matrix
from shared.rules.document import InvalidDocument
from shared.rules.plain_yaml import UnreadableYaml, read_plain_yaml
from tests.unit.intake.shipped import AUTOMATION, DATA, FILES, WORDED
from tests.unit.parsers.parser import File, Parser, Read


def _data(service: Any, name: str) -> str:
    return (Path(service.__file__).parent / name).read_text(encoding="utf-8")


_POLICIES, _CALENDARS = (_data(services.sla_timer, f"data/{name}.yml") for name in ("policies", "calendars"))
_TERMS_TEXT, _ROLES = (_data(services.notifier, f"data/{name}.yaml") for name in ("terms", "roles"))
_ENGLISH = _data(services.notifier, "data/templates/en.yaml")
_TERMS = parse_terms(yaml.safe_load(_TERMS_TEXT), "terms.yaml")
_MAPS = [Path(loading.__file__).parents[1] / "maps" / f"{name}.yml" for name in loading.own_maps()]


def _of_file(read: Callable[[Any, str], object], name: str) -> Read:
    return lambda text: read(data_files._read(File(text), name), name)


def _process(text: str) -> None:
    remark_on_process(read_process(text, "process.yml", 1, worded=WORDED), text, "process.yml")


def _automation(text: str) -> None:
    remark_on_automation(read_automation(text, "automation.yml"), text, "automation.yml")


def _validation(text: str) -> None:
    read_validation(text, "validation.yml")
    rule_lines(text, "validation.yml")


def _policies(text: str) -> None:
    read_rulebook(RuleSources(text, _CALENDARS))
    policy_lines(text, "policies.yml")


FILES_IN_YAML = (
    Parser("any YAML", read_plain_yaml, UnreadableYaml, ("a: [1, 2026-11-22, ~, true]", "")),
    Parser("name that a definition gives itself", process._name_in, (), (FILES["claim_motor.yml"],)),
    Parser("process definition", _process, InvalidDocument, (FILES["claim_motor.yml"],)),
    Parser("rules of automation", _automation, InvalidDocument, (AUTOMATION,)),
    Parser(
        "words of the status page",
        lambda text: parse_words(text, "en.yml"),
        ConfigurationError,
        ((DATA / "status_page/en.yml").read_text(encoding="utf-8"),),
    ),
    Parser(
        "frame of the status page",
        lambda text: read_frame(text, "page.html"),
        ConfigurationError,
        ((DATA / "status_page/page.html").read_text(encoding="utf-8"),),
    ),
    Parser(
        "rules of validation",
        _validation,
        InvalidDocument,
        ((DATA / "validation.yml").read_text(encoding="utf-8"),),
    ),
    Parser(
        "rules of retention",
        lambda text: read_retention(text, "retention.yml"),
        InvalidDocument,
        ((DATA / "retention.yml").read_text(encoding="utf-8"),),
    ),
    Parser("policies", _policies, InvalidDocument, (_POLICIES,)),
    Parser("calendars", lambda text: read_rulebook(RuleSources(_POLICIES, text)), InvalidDocument, (_CALENDARS,)),
    Parser(
        "access.yml",
        lambda text: read_matrix(text, "access.yml"),
        InvalidDocument,
        ((DATA.parent / "access.yml").read_text(encoding="utf-8"),),
    ),
    Parser("sampling plan", parse_plan.__wrapped__, PlanRefused, (_data(services.quality_audit, "sampling.yml"),)),
    Parser("roles that get notices", _of_file(parse_roles, "roles.yaml"), ConfigurationError, (_ROLES,)),
    Parser("terms of notices", _of_file(parse_terms, "terms.yaml"), ConfigurationError, (_TERMS_TEXT,)),
    Parser(
        "wording of notices",
        _of_file(lambda document, name: parse_templates(document, _TERMS, name), "en.yaml"),
        ConfigurationError,
        (_ENGLISH,),
    ),
    Parser(
        "map of a log",
        lambda text: loading.parse_map(text, "map.yml"),
        ConfigurationError,
        tuple(file.read_text(encoding="utf-8") for file in _MAPS),
    ),
)
