"""The alert rules name metrics that exist, and every rule says what is the matter and what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from punctual.local.ports import PREFERRED

ROOT = Path(__file__).parents[3]
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
GROUPS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))[
    "groups"
]
RULES: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]

_METRIC = re.compile(r"\bpunctual_\w+")
_DEFINITION = re.compile(
    r"\b(Counter|Gauge|Histogram|Summary)\(\s*\"(punctual_\w+)\",\s*\"[^\"]*\"(?:,\s*\[([^\]]*)\])?", re.DOTALL
)


def defined() -> dict[str, set[str]]:
    """Series that the code exports: name to labels."""
    series: dict[str, set[str]] = {}
    for tree in ("services", "shared"):
        for path in (ROOT / tree).rglob("*.py"):
            for kind, name, labels in _DEFINITION.findall(path.read_text(encoding="utf-8")):
                found = set(re.findall(r'"(\w+)"', labels))
                if kind == "Histogram":
                    series |= {f"{name}_bucket": found | {"le"}, f"{name}_count": found, f"{name}_sum": found}
                else:
                    series[name] = found
    return series


def test_every_metric_of_a_rule_is_one_the_code_exports() -> None:
    used = {metric for rule in RULES for metric in _METRIC.findall(rule["expr"])}

    assert used - set(defined()) == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_the_labels_of_a_rule_are_ones_its_metric_has(rule: dict[str, Any]) -> None:
    metrics = _METRIC.findall(rule["expr"])
    has = set.intersection(*(defined()[metric] for metric in metrics)) if metrics else {"job"}
    has |= {"instance", "job"}

    selected = set(re.findall(r"[{,]\s*(\w+)\s*=", rule["expr"]))
    grouped = {label.strip() for labels in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in labels.split(",")}
    shown = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))

    assert selected | grouped <= has
    assert shown <= (grouped or has)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_says_what_is_the_matter_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["alert"].startswith("Punctual")
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "action"}
    assert rule["expr"].count("(") == rule["expr"].count(")")


def test_the_alerts_cover_what_the_promise_rests_on() -> None:
    watched = " ".join(rule["expr"] for rule in RULES)

    for metric in (
        "up",
        "punctual_sla_timer_lateness",
        "punctual_sla_timer_overdue_timers",
        "punctual_sla_timer_calendar_known_days",
        "punctual_inbox_rejected_total",
        "punctual_inbox_sequence_gaps_total",
        "punctual_inbox_lag",
        "punctual_outbox_backlog",
    ):
        assert metric in watched


def test_no_alert_is_named_twice() -> None:
    names = [rule["alert"] for rule in RULES]

    assert len(names) == len(set(names))


def test_every_service_is_scraped_at_its_port() -> None:
    services = {path.parent.name for path in ROOT.glob("services/*/__main__.py")}
    targets = [
        target for job in CONFIG["scrape_configs"] for group in job["static_configs"] for target in group["targets"]
    ]

    assert set(targets) == {f"{service}:{PREFERRED[service]}" for service in services}
    assert CONFIG["rule_files"] == ["alerts.yml"]
