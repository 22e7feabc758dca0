-- One row of the outbox carries many records: a row per record cost more than the record.

ALTER TABLE outbox RENAME TO outbox_of_single_records;
ALTER INDEX outbox_pkey RENAME TO outbox_of_single_records_pkey;
ALTER SEQUENCE outbox_id_seq RENAME TO outbox_of_single_records_id_seq;

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY,
    shard smallint NOT NULL,
    topic text NOT NULL,
    header_names text[] NOT NULL,
    lengths bytea NOT NULL,
    body bytea NOT NULL,
    records integer NOT NULL CHECK (records > 0),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shard, id),
    CHECK (octet_length(lengths) = 12 * records)
) WITH (
    autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_scale_factor = 0.0, toast.autovacuum_vacuum_threshold = 2000,
    toast.autovacuum_vacuum_cost_delay = 0
);
-- Compressing what lives for milliseconds takes longer than writing it.
ALTER TABLE outbox ALTER COLUMN lengths SET STORAGE EXTERNAL;
ALTER TABLE outbox ALTER COLUMN body SET STORAGE EXTERNAL;
COMMENT ON TABLE outbox IS 'Parcels of records for one topic, whose keys lie in one shard; published in the order of their ids.';
COMMENT ON COLUMN outbox.shard IS 'No foreign key: its check would wait for the relay, which holds the lock of the shard.';
COMMENT ON COLUMN outbox.header_names IS 'The same for every record of the parcel, in the order to be written.';
COMMENT ON COLUMN outbox.lengths IS 'Per record three signed integers of 4 bytes, highest first: of the key, the value (-1 is none, a tombstone), the headers.';
COMMENT ON COLUMN outbox.body IS 'Per record the key, the value, and the values of the headers with a zero byte between, one after the other.';
COMMENT ON COLUMN outbox.created_at IS 'Real time; only the delay of the relay is measured with it.';

INSERT INTO outbox (shard, topic, header_names, lengths, body, records, created_at)
SELECT
    waiting.shard,
    waiting.topic,
    headers.names,
    int4send(length(waiting.record_key)) || int4send(coalesce(length(waiting.record_value), -1))
        || int4send(length(headers.joined)),
    waiting.record_key || coalesce(waiting.record_value, '') || headers.joined,
    1,
    waiting.created_at
FROM outbox_of_single_records AS waiting
CROSS JOIN LATERAL (
    SELECT
        coalesce(array_agg(header.key ORDER BY header.number), '{}') AS names,
        coalesce(string_agg(convert_to(header.value, 'UTF8'), '\x00'::bytea ORDER BY header.number), '') AS joined
    FROM json_each_text(waiting.headers::json) WITH ORDINALITY AS header (key, value, number)
) AS headers
ORDER BY waiting.id;

DROP TABLE outbox_of_single_records;

GRANT SELECT, INSERT, DELETE ON outbox TO {role};
