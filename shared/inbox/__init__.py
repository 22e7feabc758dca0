"""Exactly-once effect of consuming: positions, epochs, sequences and dead letters in the handler's own transaction."""

from shared.inbox.batch import Handler
from shared.inbox.breaker import DEFAULT_SHARE
from shared.inbox.consumer import InboxConsumer
from shared.inbox.ownership import Ownership
from shared.inbox.received import Received, Rejection
from shared.inbox.sequences import Sequences, SequenceTable, Subject

__all__ = [
    "DEFAULT_SHARE",
    "Handler",
    "InboxConsumer",
    "Ownership",
    "Received",
    "Rejection",
    "SequenceTable",
    "Sequences",
    "Subject",
]
