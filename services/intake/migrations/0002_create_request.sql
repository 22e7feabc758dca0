CREATE TABLE request (
    request_id uuid PRIMARY KEY,
    reference text NOT NULL UNIQUE,
    status_token text NOT NULL UNIQUE,
    channel text NOT NULL,
    external_id text,
    kind text NOT NULL CHECK (kind IN ('claim', 'policy_service', 'underwriting', 'enquiry', 'complaint')),
    process_version integer NOT NULL CHECK (process_version > 0),
    product_line text,
    priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    market text NOT NULL CHECK (market IN ('HK', 'CN', 'TW')),
    language text NOT NULL CHECK (language IN ('zh-Hant', 'zh-Hans', 'en')),
    customer_id uuid NOT NULL REFERENCES customer,
    customer_tier text NOT NULL,
    attributes jsonb NOT NULL,
    description text,
    stage text NOT NULL,
    pause_reasons text[] NOT NULL,
    is_responded boolean NOT NULL,
    outcome text,
    submitted_at timestamptz NOT NULL,
    closed_at timestamptz,
    version integer NOT NULL CHECK (version > 0),
    CONSTRAINT closed_with_outcome CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT closed_waits_for_nobody CHECK (closed_at IS NULL OR pause_reasons = '{}'),
    CONSTRAINT closed_after_submission CHECK (closed_at >= submitted_at)
) WITH (fillfactor = 80);
COMMENT ON COLUMN request.version IS 'The sequence of the last entry of the history and of the last event on the requests topic.';
COMMENT ON COLUMN request.description IS 'What people wrote; it leaves intake in no event and no log.';
COMMENT ON COLUMN request.status_token IS 'Opens the customer''s page without a key; never logged.';
CREATE INDEX request_of_channel ON request (channel, request_id DESC);

GRANT SELECT, INSERT, UPDATE ON request TO {role};

CREATE TABLE request_event (
    request_id uuid NOT NULL REFERENCES request,
    sequence integer NOT NULL CHECK (sequence > 0),
    type text NOT NULL,
    data jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    caller text NOT NULL,
    PRIMARY KEY (request_id, sequence)
);
COMMENT ON TABLE request_event IS 'The history of every request. Append-only: the service is granted neither UPDATE nor DELETE.';

GRANT SELECT, INSERT ON request_event TO {role};
