-- name: insert_requests
-- Remember submitted requests.
INSERT INTO request (request_id, reference, kind, attributes)
SELECT request_id, reference, kind, attributes::jsonb
FROM unnest(:request_ids::uuid[], :references::text[], :kinds::text[], :attributes::text[])
    AS given (request_id, reference, kind, attributes)
ON CONFLICT (request_id) DO NOTHING

-- name: insert_handlers
-- Remember who worked on requests.
INSERT INTO request_handler (request_id, handler)
SELECT DISTINCT * FROM unnest(:request_ids::uuid[], :handlers::text[])
ON CONFLICT DO NOTHING

-- name: lock_requests
-- Lock requests, in the order of their ids so that two batches cannot wait for each other.
SELECT
    request_id, reference, events_said, kind, attributes::text AS attributes, cycle, began_at,
    attributes_told::text AS attributes_told, kind_told
FROM request
WHERE request_id = ANY(:request_ids::uuid[])
ORDER BY request_id
FOR UPDATE

-- name: update_standings
-- Write down how requests stand now.
UPDATE request
SET kind = news.kind, attributes = news.attributes::jsonb, cycle = news.cycle, began_at = news.began_at,
    attributes_told = news.attributes_told::jsonb, kind_told = news.kind_told
FROM unnest(
    :request_ids::uuid[], :kinds::text[], :attributes::text[], :cycles::integer[], :began_ats::timestamptz[],
    :attributes_told::text[], :kinds_told::bigint[]
) AS news (request_id, kind, attributes, cycle, began_at, attributes_told, kind_told)
WHERE request.request_id = news.request_id

-- name: count_events_said
-- Note how many more events were said about each of these requests.
UPDATE request SET events_said = request.events_said + news.times
FROM unnest(:request_ids::uuid[], :times::integer[]) AS news (request_id, times)
WHERE request.request_id = news.request_id

-- name: select_clocks_of_requests
-- What became so far of the clocks of these requests.
SELECT request_id, started_at, fate FROM clock WHERE request_id = ANY(:request_ids::uuid[])

-- name: select_fates
-- What is known of these clocks.
SELECT clock_id, cycle, fate, sealed_at
FROM clock
JOIN unnest(:clock_ids::uuid[], :cycles::integer[]) AS wanted (clock_id, cycle) USING (clock_id, cycle)

-- name: upsert_fates
-- Write down what became of clocks.
INSERT INTO clock (clock_id, cycle, request_id, objective, fate, sealed_at, started_at)
SELECT * FROM unnest(
    :clock_ids::uuid[], :cycles::integer[], :request_ids::uuid[], :objectives::text[], :fates::text[],
    :sealed_ats::timestamptz[], :started_ats::timestamptz[]
)
ON CONFLICT (clock_id, cycle) DO UPDATE
SET fate = excluded.fate, sealed_at = excluded.sealed_at, started_at = coalesce(excluded.started_at, clock.started_at)

-- name: insert_period
-- Open a period with the plan and secret in force; the first one wins.
INSERT INTO sampling_period (period, plan_text, plan_version, plan_digest, secret_commitment, opened_at)
VALUES (:period, :plan_text, :plan_version, :plan_digest, :secret_commitment, :opened_at)
ON CONFLICT (period) DO NOTHING

-- name: select_period
-- The plan and the commitment a period was opened with.
SELECT plan_text, secret_commitment FROM sampling_period WHERE period = :period

-- name: select_framed
-- Which of these units are in the frame already.
SELECT request_id, cycle
FROM frame_unit
JOIN unnest(:request_ids::uuid[], :cycles::integer[]) AS wanted (request_id, cycle) USING (request_id, cycle)

-- name: insert_units
-- Add closed requests to the frame.
INSERT INTO frame_unit (
    request_id, cycle, period, kind, outcome, is_breached, attributes, closed_at, risk, rate, ticket, ticket_limit,
    is_sampled, began_at, ended_at
)
SELECT
    request_id, cycle, period, kind, outcome, is_breached, attributes::jsonb, closed_at, risk, rate, ticket,
    ticket_limit, is_sampled, began_at, ended_at
FROM unnest(
    :request_ids::uuid[], :cycles::integer[], :periods::text[], :kinds::text[], :outcomes::text[],
    :is_breacheds::boolean[], :attributes::text[], :closed_ats::timestamptz[], :risks::text[],
    :rates::double precision[], :tickets::text[], :ticket_limits::text[], :is_sampleds::boolean[],
    :began_ats::timestamptz[], :ended_ats::timestamptz[]
) AS given (
    request_id, cycle, period, kind, outcome, is_breached, attributes, closed_at, risk, rate, ticket, ticket_limit,
    is_sampled, began_at, ended_at
)

-- name: select_units
-- A page of a period's frame, in the order of the ids; sampled is what the reviewers really have on their list.
SELECT
    u.request_id, u.cycle, u.period, u.kind, u.outcome, u.is_breached, u.attributes::text AS attributes, u.closed_at,
    u.risk, u.rate, u.ticket, u.ticket_limit, s.sample_id IS NOT NULL AS is_sampled
FROM frame_unit AS u
LEFT JOIN sample AS s ON s.request_id = u.request_id AND s.cycle = u.cycle AND s.purpose = 'estimate'
WHERE u.period = :period AND (u.request_id, u.cycle) > (:after_request::uuid, :after_cycle::integer)
ORDER BY u.request_id, u.cycle
LIMIT :limit::integer

-- name: insert_samples
-- Write down which units are to be reviewed.
INSERT INTO sample (sample_id, request_id, cycle, purpose, drawn_at)
SELECT sample_id, request_id, cycle, 'estimate', :drawn_at::timestamptz
FROM unnest(:sample_ids::uuid[], :request_ids::uuid[], :cycles::integer[]) AS given (sample_id, request_id, cycle)

-- name: select_sample
-- One sample with its unit and its review.
SELECT
    s.sample_id, s.request_id, s.purpose, s.drawn_at, q.reference, u.kind, u.outcome, u.period, u.risk, u.rate,
    u.ticket, u.closed_at, u.began_at, coalesce(u.ended_at, u.closed_at) AS ended_at, r.review_id, r.reviewer,
    r.is_accurate, r.is_complete, r.is_timely, r.error_causes, r.reviewed_at
FROM sample AS s
JOIN frame_unit AS u USING (request_id, cycle)
JOIN request AS q USING (request_id)
LEFT JOIN review AS r USING (sample_id)
WHERE s.sample_id = :sample_id

-- name: select_samples
-- A page of samples, oldest first; reviewed ones, open ones, or both.
SELECT
    s.sample_id, s.request_id, s.purpose, s.drawn_at, q.reference, u.kind, u.outcome, u.period, u.risk, u.rate,
    u.ticket, u.closed_at, u.began_at, coalesce(u.ended_at, u.closed_at) AS ended_at, r.review_id, r.reviewer,
    r.is_accurate, r.is_complete, r.is_timely, r.error_causes, r.reviewed_at
FROM sample AS s
JOIN frame_unit AS u USING (request_id, cycle)
JOIN request AS q USING (request_id)
LEFT JOIN review AS r USING (sample_id)
WHERE s.sample_id > :after::uuid AND (:is_reviewed::boolean IS NULL OR (r.review_id IS NOT NULL) = :is_reviewed)
ORDER BY s.sample_id
LIMIT :limit::integer

-- name: is_handler
-- Whether somebody worked on a request.
SELECT EXISTS (SELECT FROM request_handler WHERE request_id = :request_id AND handler = :handler)

-- name: insert_review
-- Write down what a reviewer found.
INSERT INTO review (
    review_id, sample_id, reviewer, submitted_by, is_accurate, is_complete, is_timely, error_causes, reviewed_at
)
VALUES (
    :review_id, :sample_id, :reviewer, :submitted_by, :is_accurate, :is_complete, :is_timely, :error_causes,
    :reviewed_at
)

-- name: count_strata
-- Per stratum of a period: units, sampled ones, reviewed ones, and reviewed ones with an error.
SELECT
    u.kind, u.risk, min(u.rate) AS rate, count(*) AS frame, count(s.sample_id) AS drawn, count(r.review_id) AS reviewed,
    count(*) FILTER (WHERE NOT r.is_accurate) AS inaccurate, count(*) FILTER (WHERE NOT r.is_complete) AS incomplete
FROM frame_unit AS u
LEFT JOIN sample AS s ON s.request_id = u.request_id AND s.cycle = u.cycle AND s.purpose = 'estimate'
LEFT JOIN review AS r USING (sample_id)
WHERE u.period = :period
GROUP BY u.kind, u.risk

-- name: count_fates
-- Per kind and objective: clocks whose fate was sealed between two instants.
SELECT q.kind, c.objective, count(*) FILTER (WHERE c.fate = 'met') AS met, count(*) FILTER (WHERE c.fate = 'missed') AS missed
FROM clock AS c
LEFT JOIN request AS q USING (request_id)
WHERE c.sealed_at >= :begins_at AND c.sealed_at < :ends_at
GROUP BY q.kind, c.objective

-- name: count_all
-- How many units, samples and reviews there are.
SELECT
    (SELECT count(*) FROM frame_unit) AS closed,
    (SELECT count(*) FROM sample) AS sampled,
    (SELECT count(*) FROM review) AS reviewed
