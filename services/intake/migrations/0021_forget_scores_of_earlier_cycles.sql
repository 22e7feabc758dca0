-- A reopening takes the score back, as the closing that it was about; until now it stayed. Few requests were scored and
-- reopened, so the entries of few are read and few rows are written.
UPDATE request SET score = NULL
WHERE cycle > 1 AND score IS NOT NULL AND (
    SELECT max(sequence) FROM request_event
    WHERE request_event.request_id = request.request_id AND type = 'feedback_given'
) < (
    SELECT max(sequence) FROM request_event
    WHERE request_event.request_id = request.request_id AND type = 'reopened'
);
