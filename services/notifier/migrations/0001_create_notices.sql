-- Projections of what others say, and the notices themselves. Business instants unless a comment says real.

CREATE TABLE contact (
    customer_id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 0 CHECK (version >= 0),
    name text,
    email text,
    is_erased boolean NOT NULL DEFAULT false,
    CHECK (NOT is_erased OR (name IS NULL AND email IS NULL))
);
COMMENT ON TABLE contact IS 'Personal data. A row of version 0 is a customer whose contact was not heard yet: its lock orders both topics.';

CREATE TABLE request_view (
    request_id uuid PRIMARY KEY,
    reference text,
    kind text,
    language text,
    market text,
    customer_id uuid,
    status_path text,
    correlation_id text,
    submitted_at timestamptz,
    recorded_at timestamptz,
    stage text,
    pause_reasons text[] NOT NULL DEFAULT '{}',
    outcome text,
    cycle integer NOT NULL DEFAULT 1 CHECK (cycle > 0),
    expected_at timestamptz,
    expected_revision integer NOT NULL DEFAULT 0,
    told_expected_at timestamptz,
    notice_sequence bigint NOT NULL DEFAULT 0,
    CHECK (num_nulls(reference, kind, language, market, customer_id, status_path, correlation_id, submitted_at,
                     recorded_at) IN (0, 9))
);
CREATE INDEX request_view_customer ON request_view (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX request_view_reference ON request_view (reference) WHERE reference IS NOT NULL;
COMMENT ON TABLE request_view IS 'All of the submission is null while only a clock of the request was heard of.';

CREATE TABLE notice (
    notice_id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY,
    request_id uuid NOT NULL REFERENCES request_view,
    cycle integer NOT NULL CHECK (cycle > 0),
    kind text NOT NULL,
    cause text NOT NULL,
    audience text NOT NULL,
    facts jsonb NOT NULL,
    correlation_id text NOT NULL,
    traceparent text NOT NULL,
    caused_at timestamptz NOT NULL,
    planned_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'planned' CHECK (state IN
        ('planned', 'held', 'ready', 'sending', 'in_doubt', 'sent', 'failed', 'suppressed', 'withdrawn')),
    reason text,
    phase text CHECK (phase IN ('claimed', 'transmitting')),
    attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    is_resend boolean NOT NULL DEFAULT false,
    attend_at timestamptz,
    first_claimed_at timestamptz,
    contact_version integer,
    told_expected_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT notice_said_once UNIQUE (request_id, cycle, kind, cause, audience),
    CONSTRAINT notice_phase_while_sending CHECK ((state = 'sending') = (phase IS NOT NULL)),
    CONSTRAINT notice_attended CHECK ((state IN ('ready', 'sending', 'in_doubt')) = (attend_at IS NOT NULL)),
    CONSTRAINT notice_reason CHECK (
        (state IN ('held', 'in_doubt', 'failed', 'suppressed', 'withdrawn')) = (reason IS NOT NULL)),
    CONSTRAINT notice_ended CHECK (
        (state IN ('sent', 'failed', 'suppressed', 'withdrawn')) = (ended_at IS NOT NULL)),
    CONSTRAINT notice_resent_once CHECK (NOT is_resend OR attempt > 0)
) WITH (fillfactor = 80);
CREATE INDEX notice_ready_for_customers ON notice (attend_at, number) WHERE state = 'ready' AND audience = 'customer';
CREATE INDEX notice_ready_for_staff ON notice (attend_at, number) WHERE state = 'ready' AND audience <> 'customer';
CREATE INDEX notice_overdue ON notice (attend_at) WHERE state IN ('sending', 'in_doubt');
CREATE INDEX notice_live ON notice (request_id, number)
    WHERE state IN ('planned', 'held', 'ready', 'sending', 'in_doubt');
CREATE INDEX notice_newest ON notice (number DESC);
COMMENT ON COLUMN notice.attempt IS 'The number of the last claim; the outcome of an earlier one is refused.';
COMMENT ON COLUMN notice.phase IS 'transmitting is committed before the first byte of the body leaves.';
COMMENT ON COLUMN notice.attend_at IS 'Real: next attempt, end of the lease, or end of the doubt.';
COMMENT ON COLUMN notice.first_claimed_at IS 'Real.';

CREATE TABLE rendering (
    notice_id uuid PRIMARY KEY REFERENCES notice,
    language text NOT NULL,
    recipients text[] NOT NULL CHECK (cardinality(recipients) > 0),
    message bytea NOT NULL
);
COMMENT ON TABLE rendering IS 'Personal data: the very bytes handed over, kept so that a second sending is identical. Erasure deletes them.';

CREATE TABLE attempt (
    notice_id uuid NOT NULL REFERENCES notice,
    attempt integer NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    outcome text NOT NULL,
    step text NOT NULL,
    reply_code integer,
    enhanced_code text,
    PRIMARY KEY (notice_id, attempt)
);
COMMENT ON TABLE attempt IS 'Every answer of a relay, real time; append-only. A row that is missing is an attempt nobody lived to report.';

GRANT SELECT, INSERT, UPDATE ON contact, request_view, notice TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON rendering TO {role};
GRANT SELECT, INSERT ON attempt TO {role};
