-- Clocks count their cycles by themselves, so only instants tell whether an expected time is of before a reopening.
ALTER TABLE request_view
    ADD reopened_at timestamptz,
    ADD expected_started_at timestamptz;
COMMENT ON COLUMN request_view.reopened_at IS 'The last time; null: never, or before this migration.';
COMMENT ON COLUMN request_view.expected_started_at IS
    'When the clock of the expected time began; null: none was heard of, or it began before this migration.';
COMMENT ON COLUMN request_view.ended_cycle IS
    'An expected time of such a cycle is told to nobody any more; decides only where one of the two instants is missing.';
