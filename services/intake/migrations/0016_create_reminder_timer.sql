-- When to look at a request whether a stage has waited so long that somebody is reminded. Written in the transaction of
-- what the instant follows from, under the lock of the request; a request that nothing can come of has none.
CREATE TABLE reminder_timer (
    request_id uuid PRIMARY KEY REFERENCES request ON DELETE CASCADE,
    look_at timestamptz NOT NULL
) WITH (fillfactor = 80);
COMMENT ON COLUMN reminder_timer.look_at IS 'Business time.';
CREATE INDEX reminder_timer_look_at ON reminder_timer (look_at, request_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON reminder_timer TO {role};

-- Rules that are new reach requests to which nothing happens: how far each version of them has come.
CREATE TABLE reminder_sweep (
    version integer PRIMARY KEY REFERENCES automation_version,
    reached uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    is_done boolean NOT NULL DEFAULT false,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN reminder_sweep.reached IS 'Requests up to this id were looked at.';
COMMENT ON COLUMN reminder_sweep.begun_at IS 'Real time.';
GRANT SELECT, INSERT, UPDATE ON reminder_sweep TO {role};
