"""The metrics of the plumbing. A service's own metrics stand in the module that measures them."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

HTTP_SECONDS = Histogram(
    "punctual_http_request_seconds",
    "Time to answer an HTTP request.",
    ["service", "method", "route", "status"],
    buckets=_SECONDS,
)
HOST_CLOCK_AHEAD = Gauge(
    "punctual_host_clock_ahead_seconds",
    "How far this machine's clock was ahead of Postgres' when they were compared last; negative when behind.",
    ["service"],
)
OUTBOX_BACKLOG = Gauge("punctual_outbox_backlog", "Outbox rows not yet published.", ["service"])
OUTBOX_PUBLISHED = Counter("punctual_outbox_published_total", "Outbox rows published.", ["service", "topic"])
OUTBOX_FAILURES = Counter(
    "punctual_outbox_failures_total", "Rounds of the relay that failed and were repeated.", ["service"]
)
OUTBOX_SECONDS = Histogram(
    "punctual_outbox_delay_seconds",
    "Real time from the outbox insert to Kafka's acknowledgement.",
    ["service"],
    buckets=_SECONDS,
)
INBOX_EVENTS = Counter(
    "punctual_inbox_events_total",
    "Records read, by what became of them.",
    ["service", "topic", "outcome"],  # handled, repeated, rejected
)
INBOX_GAPS = Counter("punctual_inbox_sequence_gaps_total", "Events whose predecessor never came.", ["service", "topic"])
INBOX_REJECTED = Counter(
    "punctual_inbox_rejected_total", "Events sent to the dead letter.", ["service", "topic", "reason"]
)
INBOX_RETRIES = Counter("punctual_inbox_retries_total", "Batches that had to be repeated.", ["service", "topic"])
INBOX_BATCH_SECONDS = Histogram(
    "punctual_inbox_batch_seconds", "Time to handle a batch, commit included.", ["service"], buckets=_SECONDS
)
INBOX_LAG = Gauge("punctual_inbox_lag", "Records behind the end of the partition.", ["service", "topic", "partition"])
PARTITIONS_OWNED = Gauge("punctual_partitions_owned", "Partitions this process owns.", ["service", "topic"])
TAKEOVERS = Counter("punctual_partition_takeovers_total", "Times a partition's epoch was raised.", ["service", "topic"])
FENCED = Counter("punctual_fenced_total", "Transactions refused because the epoch was old.", ["service", "topic"])
