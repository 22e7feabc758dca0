-- Not everything that intake says leaves an entry in a history, and what comes after such an event is no gap.
ALTER TABLE tracked_request ADD COLUMN last_heard bigint CHECK (last_heard >= 0);
COMMENT ON COLUMN tracked_request.last_heard IS 'Intake''s number of the last event that left no entry; of entries the history tells. Null: from before this was kept.';
COMMENT ON COLUMN request_event.origin IS 'Who told it; each origin numbers its own. What is not after intake''s last, or after last_heard, is a repeat.';
