"""What sla_timer counts and measures about its clocks. A batch that is rolled back and repeated counts again."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

DECIDED = Counter(
    "punctual_sla_timer_decisions_total",
    "Warnings, breaches, escalations and pause alarms decided.",
    ["kind", "objective", "by"],  # by: timer, or event where the news came after the instant
)
WITHDRAWN = Counter("punctual_sla_timer_withdrawn_total", "Decisions withdrawn by late news.", ["kind", "objective"])
LATENESS = Histogram(
    "punctual_sla_timer_lateness_milliseconds",
    "Real milliseconds between the instant a decision became true and its recording.",
    ["kind", "by"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 60_000, 600_000),
)
PROMISES = Counter(
    "punctual_sla_timer_promises_total",
    "Clocks that ended with a verdict: met, or missed.",
    ["request_kind", "objective", "party"],
)
PROMISES_KEPT = Counter(
    "punctual_sla_timer_promises_kept_total", "Clocks that were met.", ["request_kind", "objective", "party"]
)
OPEN_CLOCKS = Gauge(
    "punctual_sla_timer_open_clocks", "Open clocks of this process's partitions.", ["objective", "state"]
)
OVERDUE = Gauge("punctual_sla_timer_overdue_timers", "Timers of this process's partitions that should have fired.")
OLDEST_OVERDUE = Gauge(
    "punctual_sla_timer_oldest_overdue_seconds",
    "Real seconds since the oldest timer that has not fired was due; 0 when there is none.",
)
POLICY_VERSION = Gauge("punctual_sla_timer_policy_version", "The policy version in force.")
RULES_BROKEN = Gauge(
    "punctual_sla_timer_rules_broken", "1 while the rule files cannot be used and the version before stays in force."
)
CALENDAR_DAYS = Gauge(
    "punctual_sla_timer_calendar_known_days", "Days until a calendar's holidays are no longer published.", ["calendar"]
)
MODE = Gauge("punctual_sla_timer_mode", "1 while a mode is in force in a market.", ["mode", "market"])
ROLLOUTS_OPEN = Gauge(
    "punctual_sla_timer_rollouts_open",
    "Changes of rules or modes that have not reached every running clock of this process's partitions.",
    ["kind"],
)
REQUESTS_IN_MEMORY = Gauge("punctual_sla_timer_requests_in_memory", "Requests kept in memory for their next event.")
