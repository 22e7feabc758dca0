-- Which cycle of its clock an expected time is of, and which cycles were over when the request last ended.
ALTER TABLE request_view
    ADD expected_cycle integer NOT NULL DEFAULT 0 CHECK (expected_cycle >= 0),
    ADD ended_cycle integer NOT NULL DEFAULT 0 CHECK (ended_cycle >= 0);
COMMENT ON COLUMN request_view.expected_cycle IS '0: none was heard of, or before this migration; any that is heard is newer.';
COMMENT ON COLUMN request_view.ended_cycle IS 'An expected time of such a cycle is told to nobody any more; the next one is.';
