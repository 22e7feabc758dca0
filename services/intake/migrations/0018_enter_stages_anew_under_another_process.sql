-- A request that follows another process has not left its stage under that one; until now it stayed left.
UPDATE request SET has_left_stage = false
WHERE has_left_stage AND EXISTS (
    SELECT FROM request_event AS followed
    WHERE followed.request_id = request.request_id AND followed.type = 'process_changed' AND NOT EXISTS (
        SELECT FROM request_event AS left_later
        WHERE left_later.request_id = request.request_id AND left_later.type = 'stage_left'
            AND left_later.sequence > followed.sequence
    )
);
