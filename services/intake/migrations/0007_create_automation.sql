-- Every version of the rules by which the house acts by itself. Append-only.
CREATE TABLE automation_version (
    version integer PRIMARY KEY CHECK (version > 0),
    source text NOT NULL,
    origin text NOT NULL CHECK (origin IN ('file', 'api')),
    author text NOT NULL,
    reason text,
    applied_at timestamptz NOT NULL
);
COMMENT ON COLUMN automation_version.author IS 'The caller of the API, or the name of the file.';
COMMENT ON COLUMN automation_version.applied_at IS 'Business time.';
GRANT SELECT, INSERT ON automation_version TO {role};

-- New requests that a rule may act on; written with them, so that none is forgotten.
CREATE TABLE automation_task (
    request_id uuid PRIMARY KEY REFERENCES request,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN automation_task.added_at IS 'Real time.';
GRANT SELECT, INSERT, DELETE ON automation_task TO {role};
-- SELECT FOR UPDATE asks for the right to update some column.
GRANT UPDATE (added_at) ON automation_task TO {role};
