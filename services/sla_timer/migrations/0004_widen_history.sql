-- Histories hold more than intake's first six events, and entries of this service: rules and modes that reached a request.

ALTER TABLE request_event
    ADD COLUMN origin text NOT NULL DEFAULT 'intake' CHECK (origin IN ('intake', 'house')),
    ADD COLUMN details jsonb,
    DROP CONSTRAINT request_event_happening_check,
    DROP CONSTRAINT request_event_pkey,
    ADD PRIMARY KEY (request_id, origin, sequence),
    ADD CHECK (happening IN ('submitted', 'stage_entered', 'stage_left', 'responded', 'message_received',
        'customer_informed', 'assigned', 'paused', 'resumed', 'signalled', 'changed', 'extended', 'closed', 'reopened',
        'cancelled', 'merged', 'policy_applied', 'mode_changed')),
    ADD CHECK ((origin = 'house') = (happening IN ('policy_applied', 'mode_changed')));
COMMENT ON COLUMN request_event.origin IS 'Who told it; each origin numbers its own. The last of intake''s tells repeats.';
CREATE INDEX request_event_recorded ON request_event USING brin (recorded_at);

ALTER TABLE tracked_request ADD COLUMN stage text, ADD COLUMN team text;
COMMENT ON COLUMN tracked_request.policy_version IS 'The rules it began with; later ones are entries of its history.';
COMMENT ON COLUMN tracked_request.facts IS 'As submitted; changes are entries of its history.';
UPDATE tracked_request AS t SET stage = s.value
FROM (
    SELECT DISTINCT ON (request_id) request_id, value FROM request_event
    WHERE happening = 'stage_entered' ORDER BY request_id, sequence DESC
) AS s
WHERE s.request_id = t.request_id;
CREATE INDEX tracked_request_team ON tracked_request (team) WHERE team IS NOT NULL;
CREATE INDEX tracked_request_partition ON tracked_request (partition, request_id);
