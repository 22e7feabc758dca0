"""The one error tree.

PunctualError
├── ConfigurationError   the start stops with this one readable message
├── Retryable            back off and try the same work again; nothing is lost meanwhile
│   ├── DatabaseUnavailable
│   └── BrokerUnavailable
├── Rejected             this input can never be handled; it goes to the dead letter with its reason
├── MigrationFailed      a schema could not be brought up to date; those who use it go on as before
├── Fenced               another process owns this partition now; drop the work, it is theirs
└── CircuitOpen          too many rejects: the program is wrong, not the input; the process ends
"""

from __future__ import annotations


class PunctualError(Exception):
    """Base of every error this project raises on purpose."""


class ConfigurationError(PunctualError):
    """A setting or a data file is wrong; the message names it and says how to mend it."""


class Retryable(PunctualError):
    """The work could not be done now but can be repeated as it is."""


class DatabaseUnavailable(Retryable):
    """Postgres refused, dropped or ended the connection; whether the last write committed is unknown."""


class BrokerUnavailable(Retryable):
    """Kafka did not acknowledge in time; whether it wrote the records is unknown."""


class Rejected(PunctualError):
    """This input can never be handled.

    Attributes:
        reason: a stable code in snake_case, safe to use as a metric label.
        detail: one sentence for the person who looks at the dead letter. Holds no personal data.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class MigrationFailed(PunctualError):
    """Postgres refused a migration, or its locks; the message names it. Nothing of it was applied."""


class Fenced(PunctualError):
    """The epoch held for a partition is no longer the newest.

    Attributes:
        topic, partition: what was lost.
    """

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(f"partition {partition} of {topic} belongs to another process now")
        self.topic = topic
        self.partition = partition


class CircuitOpen(PunctualError):
    """The share of rejected events is so high that the program is the likelier culprit."""
