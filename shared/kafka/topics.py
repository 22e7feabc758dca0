"""Topics and their settings are created by code, never by chance."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.contracts.topics import TOPICS, Topic
from shared.errors import BrokerUnavailable


def topic_settings(topic: Topic, replication: int) -> dict[str, str]:
    """Kafka's settings of a topic."""
    keep_for = -1 if topic.retention is None else int(topic.retention.total_seconds() * 1000)
    return {
        "cleanup.policy": "compact" if topic.is_compacted else "delete",
        "retention.ms": str(keep_for),
        "min.insync.replicas": str(max(1, replication - 1)),
        "max.message.bytes": str(4 * 1024 * 1024),
        "message.timestamp.type": "LogAppendTime",
        # An erasure must reach consumers that are down for up to a week, and the disk within a day.
        **(
            {
                "delete.retention.ms": str(7 * 86_400_000),
                "min.cleanable.dirty.ratio": "0.1",
                "max.compaction.lag.ms": str(86_400_000),
            }
            if topic.is_compacted
            else {}
        ),
    }


async def ensure_topics(bootstrap: str, partitions: int, replication: int) -> list[str]:
    """Create the topics that are missing; gives their names. Existing ones are left as they are.

    Raises:
        BrokerUnavailable: Kafka did not answer within half a minute.
    """
    last: Exception | None = None
    for _ in range(60):
        client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
        try:
            await client.start()
            existing = set(await client.list_topics())
            missing = [topic for topic in TOPICS if topic.name not in existing]
            if missing:
                wanted = [
                    NewTopic(topic.name, partitions, replication, topic_configs=topic_settings(topic, replication))
                    for topic in missing
                ]
                with suppress(TopicAlreadyExistsError):
                    response = await client.create_topics(wanted)
                    _raise_for(response)
        except (KafkaError, OSError) as error:
            last = error
            await asyncio.sleep(0.5)
        else:
            return [topic.name for topic in missing]
        finally:
            with suppress(KafkaError, OSError):
                await client.close()
    raise BrokerUnavailable(f"topics could not be created: {type(last).__name__}: {last}") from last


def _raise_for(response: object) -> None:
    """The client does not raise for the errors inside an answer."""
    for name, code, *_ in getattr(response, "topic_errors", ()):
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(name)
