-- Sampled units and what the reviewers found. Nothing here is ever changed: a verdict is frozen when it is given.

CREATE TABLE sample (
    sample_id uuid PRIMARY KEY,
    request_id uuid NOT NULL,
    cycle integer NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('estimate', 'lot', 'directed', 'gold', 'double')),
    drawn_at timestamptz NOT NULL,
    UNIQUE (request_id, cycle, purpose),
    FOREIGN KEY (request_id, cycle) REFERENCES frame_unit (request_id, cycle)
);
COMMENT ON COLUMN sample.purpose IS 'Only ''estimate'' was chosen by the hash at the stratum''s rate; only it may feed a figure.';

CREATE TABLE review (
    review_id uuid PRIMARY KEY,
    sample_id uuid NOT NULL UNIQUE REFERENCES sample,
    reviewer text NOT NULL,
    submitted_by text NOT NULL,
    is_accurate boolean NOT NULL,
    is_complete boolean NOT NULL,
    is_timely boolean,
    error_causes text[] NOT NULL,
    reviewed_at timestamptz NOT NULL
);
COMMENT ON COLUMN review.is_timely IS 'Taken from the clocks, not judged; null while one of them still runs or none is known.';

GRANT SELECT, INSERT ON sample, review TO {role};
