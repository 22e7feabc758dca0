"""Keys go where every other Kafka client sends them."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.partitions import partition_of, positive_hash


@given(st.binary(max_size=80), st.integers(1, 500))
def test_a_key_belongs_to_the_partition_that_the_client_library_would_choose(key: bytes, partitions: int) -> None:
    everything = list(range(partitions))

    assert partition_of(key, partitions) == DefaultPartitioner()(key, everything, everything)


@pytest.mark.parametrize(
    ("key", "murmur2"),
    # From the tests of Kafka's own Java client, org.apache.kafka.common.utils.UtilsTest.
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"abc", 479470107)],
)
def test_the_hash_is_that_of_the_java_client(key: bytes, murmur2: int) -> None:
    assert positive_hash(key) == murmur2 & 0x7FFFFFFF
