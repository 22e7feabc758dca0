-- Every rulebook that was ever in force, with both of its texts, so that a clock can always be explained.

CREATE TABLE policy_version (
    version integer PRIMARY KEY CHECK (version > 0),
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    policies text NOT NULL,
    calendars text NOT NULL,
    origin text NOT NULL CHECK (origin IN ('file', 'api')),
    author text NOT NULL,
    loaded_at timestamptz NOT NULL
);
COMMENT ON TABLE policy_version IS 'The highest version is in force; new clocks take it, older clocks keep theirs.';

GRANT SELECT, INSERT ON policy_version TO {role};
