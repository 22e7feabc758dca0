"""The alert rules name metrics that exist, every rule says what is the matter and what to do; promtool tries them."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram, Summary

from punctual.local.ports import PREFERRED
from services.intake.api.patience import UNBOUNDED
from tests.access.opening import matrix_of

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy/prometheus"
RULE_FILES = ("availability.yml", "promises.yml", "alerts.yml")
TEST_FILES = ("availability_test.yml", "rules_test.yml", "promises_test.yml")


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return content


CONFIG = read("prometheus.yml")
RULES: list[dict[str, Any]] = [rule for name in RULE_FILES for group in read(name)["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}
CASES: list[dict[str, Any]] = [case for name in TEST_FILES for case in read(name)["tests"]]
PAGE = (ROOT / "docs/howto/alerts.md").read_text(encoding="utf-8")

_METRIC = re.compile(r"\bpunctual_\w+")


@cache
def defined() -> dict[str, set[str]]:
    """Series that the code exports: name to labels. Found by importing every module that defines a metric."""
    series: dict[str, set[str]] = {}
    for tree in ("services", "shared"):
        for path in sorted((ROOT / tree).rglob("*.py")):
            if "from prometheus_client import" in path.read_text(encoding="utf-8"):
                module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
                for metric in vars(module).values():
                    series |= series_of(metric)
    return series


def series_of(metric: Any) -> dict[str, set[str]]:
    if not isinstance(metric, (Counter, Gauge, Histogram, Summary)):
        return {}
    name, labels = metric._name, set(metric._labelnames)
    if isinstance(metric, Histogram):
        return {f"{name}_bucket": labels | {"le"}, f"{name}_count": labels, f"{name}_sum": labels}
    if isinstance(metric, Summary):
        return {f"{name}_count": labels, f"{name}_sum": labels}
    return {f"{name}_total" if isinstance(metric, Counter) else name: labels}


def labels_of(recorded: str) -> set[str]:
    """``objective_party:promises:increase1h`` has the labels it is recorded by."""
    return grouped(RECORDED[recorded])


def grouped(expression: str) -> set[str]:
    return {label.strip() for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(",")}


def test_every_metric_of_a_rule_is_one_the_code_exports() -> None:
    used = {metric for rule in RULES for metric in _METRIC.findall(rule["expr"])}

    assert used - set(defined()) == set()


def test_every_metric_of_a_promtool_case_is_one_the_code_exports_with_those_labels() -> None:
    """Else a case would try a rule on series that no service has."""
    for case in CASES:
        for series in case["input_series"]:
            metric, _, labels = series["series"].partition("{")
            if metric != "up":
                assert set(re.findall(r"(\w+)=", labels)) - {"instance"} <= defined()[metric], metric


def test_every_recorded_series_of_an_alert_is_recorded_and_every_recorded_one_used() -> None:
    named = {rule.get("alert", rule.get("record")): set(re.findall(r"\b\w+:\w+:\w+", rule["expr"])) for rule in RULES}
    used = {name for user, names in named.items() for name in names - {user}}

    assert used == set(RECORDED)


def test_a_recorded_series_is_named_after_its_labels_and_its_window() -> None:
    for name, expression in RECORDED.items():
        level, _, operation = name.split(":")
        assert set(level.split("_")) == grouped(expression)
        assert set(re.findall(r"\d+[mhd]$", operation)) == set(re.findall(r"\[(\w+)\]", expression))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_the_labels_of_a_rule_are_ones_its_metric_has(rule: dict[str, Any]) -> None:
    metrics = [defined()[metric] for metric in _METRIC.findall(rule["expr"])]
    metrics += [labels_of(name) for name in RECORDED if name in rule["expr"]]
    has = set.intersection(*metrics) if metrics else {"job"}
    has |= {"instance", "job"}

    selected = set(re.findall(r"[{,]\s*(\w+)\s*[=!]", rule["expr"]))
    shown = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))

    assert selected | grouped(rule["expr"]) <= has
    assert shown <= (grouped(rule["expr"]) or has)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_a_rule_says_what_is_the_matter_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["alert"].startswith("Punctual")
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "meaning", "action", "runbook"}
    assert rule["annotations"]["runbook"] == f"docs/howto/alerts.md#{rule['alert'].lower()}"


def test_only_what_may_take_as_long_as_it_takes_is_never_slow() -> None:
    (slow,) = [rule["expr"] for rule in ALERTS if rule["alert"] == "PunctualRequestsSlow"]
    left_out = [re.compile(pattern) for pattern in re.findall(r'route!~"([^"]+)"', slow)]

    routes = matrix_of("intake").routes
    assert {route for route in routes if any(one.fullmatch(route.partition(" ")[2]) for one in left_out)} == UNBOUNDED


def test_the_page_has_every_alert_with_its_severity_and_meaning_and_no_other() -> None:
    sections = dict(re.findall(r"^### (Punctual\w+)\n\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))

    assert set(sections) == {rule["alert"] for rule in ALERTS}
    for rule in ALERTS:
        text = " ".join(sections[rule["alert"]].split())
        assert text.startswith(f"*{rule['labels']['severity'].capitalize()}.* ")
        assert f"Meaning: {rule['annotations']['meaning']}" in text


def test_the_alerts_cover_what_the_promise_rests_on() -> None:
    watched = " ".join(rule["expr"] for rule in RULES)

    for metric in (
        "up",
        "punctual_ready",
        "punctual_sla_timer_lateness",
        "punctual_sla_timer_overdue_timers",
        "punctual_sla_timer_oldest_overdue_seconds",
        "punctual_sla_timer_promises_total",
        "punctual_sla_timer_promises_kept_total",
        "punctual_sla_timer_open_clocks",
        "punctual_sla_timer_calendar_known_days",
        "punctual_sla_timer_rules_broken",
        "punctual_sla_timer_rollouts_open",
        "punctual_inbox_rejected_total",
        "punctual_inbox_sequence_gaps_total",
        "punctual_inbox_lag",
        "punctual_partitions_owned",
        "punctual_partition_takeovers_total",
        "punctual_fenced_total",
        "punctual_outbox_backlog",
    ):
        assert metric in watched


def test_no_alert_is_named_twice() -> None:
    names = [rule["alert"] for rule in ALERTS]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", [rule["alert"] for rule in ALERTS])
def test_an_alert_is_tried_where_it_must_ring_and_where_it_must_not(name: str) -> None:
    samples = [
        [sample["labels"] for sample in look["exp_samples"]]
        for case in CASES
        if name in case["name"]
        for look in case["promql_expr_test"]
        if "ALERTS" in look["expr"]
    ]

    assert any(f'alertname="{name}"' in labels for ringing in samples for labels in ringing)
    assert any(name not in " ".join(ringing) for ringing in samples)


@pytest.fixture(scope="module")
def promtool() -> str:
    parts = Path(os.environ.get("PUNCTUAL_PARTS", ROOT / ".punctual/parts"))
    found = shutil.which("promtool") or shutil.which(parts / "promtool/promtool")
    if found is None:
        pytest.fail("promtool is missing: deploy/prometheus/get-promtool.sh fetches it, or says how to get it")
    return found


@pytest.mark.parametrize("arguments", [("check", "rules", *RULE_FILES), *(("test", "rules", f) for f in TEST_FILES)])
def test_promtool_finds_nothing_wrong(promtool: str, arguments: tuple[str, ...]) -> None:
    seldom = {**os.environ, "GOGC": "400"}  # collecting garbage takes a third of its time otherwise
    done = subprocess.run([promtool, *arguments], cwd=FOLDER, env=seldom, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_data_are_kept_for_longer_than_any_rule_looks_back() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    kept = re.search(r"retention\.time=(\d+)d", " ".join(compose["services"]["prometheus"]["command"]))
    days = [int(days) for rule in RULES for days in re.findall(r"\[(\d+)d\]", rule["expr"])]

    assert kept is not None
    assert int(kept[1]) > max(days)


def test_every_service_is_scraped_at_its_port() -> None:
    services = {path.parent.name for path in ROOT.glob("services/*/__main__.py")}
    targets = [
        target for job in CONFIG["scrape_configs"] for group in job["static_configs"] for target in group["targets"]
    ]

    assert set(targets) == {f"{service}:{PREFERRED[service]}" for service in services}
    assert CONFIG["rule_files"] == list(RULE_FILES)
