CREATE TABLE idempotency_key (
    caller text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    request_id uuid,
    status smallint,
    body text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (caller, key)
) WITH (fillfactor = 90);
COMMENT ON TABLE idempotency_key IS 'Answers given to writes, so that a repeat gets the first answer. Written in the transaction of the write itself.';
COMMENT ON COLUMN idempotency_key.fingerprint IS 'SHA-256 of method, path and body.';
COMMENT ON COLUMN idempotency_key.status IS 'NULL only inside the transaction that does the work.';
COMMENT ON COLUMN idempotency_key.recorded_at IS 'Real time: how long a client may repeat a call has nothing to do with business time.';
CREATE INDEX idempotency_key_age ON idempotency_key USING brin (recorded_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_key TO {role};
