-- Answers that are kept for repeats show requests without the channel's own ids of them; a repeat gets them from the request's
-- row (services/intake/domain/kept_answer.py), where an erasure reaches them. The first such field is the request's.
UPDATE idempotency_key SET body = regexp_replace(body, '"external_id":"([^"\\]|\\.)*"', '"external_id":null')
WHERE request_id IS NOT NULL AND body ~ '^\{"id":"[^"]*","reference":"[^"]*","external_id":"';
COMMENT ON COLUMN idempotency_key.body IS 'Of a request without its external id, which a repeat gets from the request.';
