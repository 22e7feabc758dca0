"""The services. They meet only on Kafka and over public HTTP APIs; none imports another."""
