-- Requests as clocks see them, and their histories.

CREATE TABLE tracked_request (
    request_id uuid PRIMARY KEY,
    reference text NOT NULL,
    facts jsonb NOT NULL,
    policy text NOT NULL,
    policy_version integer NOT NULL REFERENCES policy_version,
    partition integer NOT NULL CHECK (partition >= 0),
    said bigint NOT NULL DEFAULT 0 CHECK (said >= 0),
    correlation_id text NOT NULL,
    traceparent text NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX tracked_request_reference ON tracked_request (reference);
COMMENT ON COLUMN tracked_request.partition IS 'Of the topic the request was heard on; its owner fires the timers.';
COMMENT ON COLUMN tracked_request.said IS 'Sequence of the last event told about this request.';

CREATE TABLE request_event (
    request_id uuid NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    happening text NOT NULL
        CHECK (happening IN ('submitted', 'stage_entered', 'responded', 'paused', 'resumed', 'closed')),
    value text,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL CHECK (recorded_at >= occurred_at),
    PRIMARY KEY (request_id, sequence)
);
COMMENT ON TABLE request_event IS 'Append-only: clocks are read from these rows and from nothing else.';

GRANT SELECT, INSERT, UPDATE ON tracked_request TO {role};
GRANT SELECT, INSERT ON request_event TO {role};
