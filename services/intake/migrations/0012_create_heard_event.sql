-- What other services told about requests, for the timeline: clocks, notices, reviews. No reference to request: it may be
-- heard of before the request is here, when topics are restored. There is no personal data on these topics.
CREATE TABLE heard_event (
    request_id uuid NOT NULL,
    source text NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    data json NOT NULL,
    PRIMARY KEY (request_id, source, sequence)
);
COMMENT ON COLUMN heard_event.type IS 'With its version; it may be newer than what the service understands.';

GRANT SELECT, INSERT ON heard_event TO {role};
