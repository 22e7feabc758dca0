-- A message is given up some time after a relay first put it off; a relay that was away before is waited for.
ALTER TABLE notice ADD first_put_off_at timestamptz;
COMMENT ON COLUMN notice.first_put_off_at IS 'Real: the first of the failures.';
UPDATE notice SET first_put_off_at = first_claimed_at
WHERE failures > 0 AND state IN ('planned', 'held', 'ready', 'sending', 'in_doubt');
ALTER TABLE notice DROP first_claimed_at;
