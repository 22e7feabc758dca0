-- The log of changes is the history itself. The transaction of an entry is what a reader of changes goes by: ids and
-- instants are given before the commit, so a later one may be seen first. Entries from before have none and are not followed.
ALTER TABLE request_event ADD transaction_id xid8;
ALTER TABLE request_event ALTER transaction_id SET DEFAULT pg_current_xact_id();
CREATE INDEX request_event_transaction ON request_event (transaction_id, request_id, sequence)
    WHERE transaction_id IS NOT NULL;
COMMENT ON COLUMN request_event.transaction_id IS 'Read below pg_snapshot_xmin only: what is below it has committed or never will.';
