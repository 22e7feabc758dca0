-- A relay may take a mail to a role for some of its addresses and put the others off, who are then tried alone.
ALTER TABLE notice
    ADD remaining integer[],
    ADD CONSTRAINT notice_remaining CHECK (
        remaining IS NULL
        OR (cardinality(remaining) > 0 AND attempt > 0 AND state IN ('ready', 'sending', 'in_doubt', 'sent')));
COMMENT ON COLUMN notice.remaining IS
    'Positions from 0 in the recipients of its rendering: who is left while others have it, or never got it.';
