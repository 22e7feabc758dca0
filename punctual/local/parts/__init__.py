"""The parts that are downloaded: Kafka's jars, a Java, a Postgres. Pinned by locks with hashes beside this file."""
