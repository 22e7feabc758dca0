-- Doubts about requests: which are open, and how the others were judged. The codes of findings; never a value.
ALTER TABLE request
    ADD doubts text[] NOT NULL DEFAULT '{}',
    ADD confirmed text[] NOT NULL DEFAULT '{}',
    ADD dismissed text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT finding_judged_once
        CHECK (NOT (doubts && confirmed) AND NOT (doubts && dismissed) AND NOT (confirmed && dismissed));
COMMENT ON COLUMN request.doubts IS 'Findings that nobody judged yet; while there is one the request is in quarantine.';
CREATE INDEX request_in_quarantine ON request (request_id) WHERE doubts <> '{}';

-- What of a recent request is compared with new ones, to find those that came already. Forgotten when it is too old for that.
CREATE TABLE request_portrait (
    request_id uuid PRIMARY KEY REFERENCES request ON DELETE CASCADE,
    customer_id uuid NOT NULL,
    kind text NOT NULL,
    policy text,
    submitted_at timestamptz NOT NULL,
    signature bytea STORAGE PLAIN CHECK (octet_length(signature) = 512)
);
COMMENT ON COLUMN request_portrait.policy IS 'The policy number in one way of writing: letters and digits only, small.';
COMMENT ON COLUMN request_portrait.signature IS
    'Of the description, keyed. Personal data although hardly readable: erased with the description, never logged.';
CREATE INDEX portrait_of_customer ON request_portrait (customer_id, kind, submitted_at);
CREATE INDEX portrait_of_policy ON request_portrait (policy, submitted_at) WHERE policy IS NOT NULL;
CREATE INDEX portrait_by_age ON request_portrait USING brin (submitted_at);
GRANT SELECT, INSERT, DELETE ON request_portrait TO {role};

-- How often watched numbers fell into which range, per group of requests; see domain/anomalies/sketch.py.
CREATE TABLE value_past (
    attribute text NOT NULL,
    grouped text NOT NULL,
    range integer NOT NULL,
    count bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (attribute, grouped, range)
);
COMMENT ON COLUMN value_past.grouped IS 'The values that make the group, a JSON array.';
GRANT SELECT, INSERT, UPDATE ON value_past TO {role};

-- How many requests of a channel came and were refused in an hour; see domain/anomalies/streams.py.
CREATE TABLE stream_hour (
    channel text NOT NULL,
    hour integer NOT NULL,
    accepted integer NOT NULL CHECK (accepted >= 0),
    refused integer NOT NULL CHECK (refused >= 0),
    is_whole boolean NOT NULL,
    PRIMARY KEY (channel, hour)
);
COMMENT ON COLUMN stream_hour.hour IS 'Hours since 1970, UTC, business time.';
COMMENT ON COLUMN stream_hour.is_whole IS 'It was watched from its beginning to its end.';
GRANT SELECT, INSERT, UPDATE, DELETE ON stream_hour TO {role};

CREATE TABLE stream_watch (
    channel text PRIMARY KEY,
    watched_from timestamptz NOT NULL,
    watched_at timestamptz NOT NULL,
    alarms jsonb NOT NULL
);
COMMENT ON TABLE stream_watch IS 'Since when each channel is watched without a gap, and its alarms.';
GRANT SELECT, INSERT, UPDATE ON stream_watch TO {role};
