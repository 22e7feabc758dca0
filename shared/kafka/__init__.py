"""Kafka, behind two narrow interfaces. The only place that knows the client library."""

from shared.kafka.publisher import KafkaPublisher
from shared.kafka.reader import read_record, read_topic
from shared.kafka.records import Headers, OutgoingRecord, Publisher, Record, Subscription, TopicPartition
from shared.kafka.subscription import KafkaSubscription
from shared.kafka.topics import ensure_topics

__all__ = [
    "Headers",
    "KafkaPublisher",
    "KafkaSubscription",
    "OutgoingRecord",
    "Publisher",
    "Record",
    "Subscription",
    "TopicPartition",
    "ensure_topics",
    "read_record",
    "read_topic",
]
