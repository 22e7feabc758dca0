-- The plumbing every service's schema has. See docs/adr for the promises these constraints carry.

CREATE TABLE outbox_shard (
    shard smallint PRIMARY KEY
);
COMMENT ON TABLE outbox_shard IS 'The relay holds the row lock of a shard while it publishes from it.';
INSERT INTO outbox_shard SELECT generate_series(0, 1);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY,
    shard smallint NOT NULL,
    topic text NOT NULL,
    record_key bytea NOT NULL,
    record_value bytea,
    headers text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shard, id)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
COMMENT ON COLUMN outbox.shard IS 'No foreign key: its check would wait for the relay, which holds the lock of the shard.';
COMMENT ON COLUMN outbox.headers IS 'A JSON object of text, in the order to be written.';
COMMENT ON COLUMN outbox.created_at IS 'Real time; only the delay of the relay is measured with it.';

CREATE TABLE inbox_position (
    topic text NOT NULL,
    partition integer NOT NULL CHECK (partition >= 0),
    epoch bigint NOT NULL DEFAULT 0,
    next_offset bigint NOT NULL DEFAULT 0 CHECK (next_offset >= 0),
    owner text,
    taken_at timestamptz,
    PRIMARY KEY (topic, partition)
);
COMMENT ON TABLE inbox_position IS 'Where each partition goes on, and the epoch of its owner: the truth; Kafka''s offsets are a mirror.';

CREATE TABLE inbox_sequence (
    source text NOT NULL,
    subject uuid NOT NULL,
    last_sequence bigint NOT NULL CHECK (last_sequence > 0),
    PRIMARY KEY (source, subject)
);

CREATE TABLE inbox_rejection (
    deadletter_id uuid PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    reason text NOT NULL,
    state text NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'replayed')),
    rejected_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX inbox_rejection_origin ON inbox_rejection (topic, partition, record_offset);

GRANT SELECT, UPDATE ON outbox_shard TO {role};
GRANT SELECT, INSERT, DELETE ON outbox TO {role};
GRANT SELECT, INSERT, UPDATE ON inbox_position, inbox_sequence, inbox_rejection TO {role};
