-- What new rules are brought to: also a request on which nothing runs just now, since they may promise something for it.

CREATE VIEW running_request AS
SELECT t.* FROM tracked_request AS t
WHERE EXISTS (SELECT FROM clock AS c WHERE c.request_id = t.request_id AND c.ended_at IS NULL)
    OR coalesce((
        SELECT e.happening FROM request_event AS e
        WHERE e.request_id = t.request_id AND e.happening IN ('closed', 'cancelled', 'merged', 'reopened')
        ORDER BY e.occurred_at DESC, e.sequence DESC LIMIT 1
    ), 'reopened') = 'reopened';
COMMENT ON VIEW running_request IS 'Requests that are not over, or have an open clock nevertheless.';

GRANT SELECT ON running_request TO {role};
