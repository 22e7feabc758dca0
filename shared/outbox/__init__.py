"""The transactional outbox: events are rows of the transaction that caused them; a relay publishes them afterwards."""

from shared.outbox.outbox import Outbox
from shared.outbox.parcels import EncodedRecord

__all__ = ["EncodedRecord", "Outbox"]
