-- Pieces that walks.py puts together: a walk along one index, the conditions looked at on the way, and what is made of it.
-- Words in braces are filled in by walks.py; what callers send are parameters.

-- name: along_ids
-- In the order in which requests were taken in.
SELECT NULL::text AS prefix, NULL::timestamptz AS at, request_id, 0 AS sequence
FROM request
WHERE {predicate} AND request_id {beyond} :id
ORDER BY request_id {direction}
LIMIT :most_seen::integer

-- name: along_value
-- The same for those with one value in a column.
SELECT {column} AS prefix, NULL::timestamptz AS at, request_id, 0 AS sequence
FROM request
WHERE {predicate} AND ({column}, request_id) {beyond} (:prefix::{type}, :id) AND ({column}, request_id) {before} (:prefix::{type}, :edge)
ORDER BY {column} {direction}, request_id {direction}
LIMIT :most_seen::integer

-- name: to_reference
-- The one with a reference; nothing is left to be put in order.
SELECT NULL::text AS prefix, NULL::timestamptz AS at, request_id, 0 AS sequence
FROM request
WHERE reference = :prefix AND request_id {beyond} :id
LIMIT :most_seen::integer

-- name: along_submissions
-- In the order in which customers submitted them.
SELECT NULL::text AS prefix, submitted_at AS at, request_id, 0 AS sequence
FROM request
WHERE (submitted_at, request_id) {beyond} (:at, :id) AND submitted_at >= :from_at AND submitted_at < :to_at
ORDER BY submitted_at {direction}, request_id {direction}
LIMIT :most_seen::integer

-- name: along_deadlines
-- By the deadline of an objective whose clock runs or has run over; a request has one clock of an objective.
SELECT NULL::text AS prefix, due_at AS at, request_id, 0 AS sequence
FROM deadline
WHERE objective = :prefix AND state IN ('running', 'breached')
    AND (due_at, request_id) {beyond} (:at, :id) AND due_at >= :from_at AND due_at < :to_at
ORDER BY due_at {direction}, request_id {direction}
LIMIT :most_seen::integer

-- name: along_changes
-- By the entries of the histories.
SELECT NULL::text AS prefix, recorded_at AS at, request_id, sequence
FROM request_event
WHERE (recorded_at, request_id, sequence) {beyond} (:at, :id, :sequence) AND recorded_at >= :from_at
ORDER BY recorded_at {direction}, request_id {direction}, sequence {direction}
LIMIT :most_seen::integer

-- name: codes
-- The codes in a column of which one is a word, or which are it; the index is read once per code, not per request.
WITH RECURSIVE found AS (
    (SELECT {column} AS code, 1 AS number FROM request WHERE {predicate} ORDER BY {column} LIMIT 1)
    UNION ALL
    SELECT (
        SELECT {column} FROM request WHERE {predicate} AND {column} > found.code ORDER BY {column} LIMIT 1
    ), number + 1
    FROM found WHERE found.code IS NOT NULL AND number < :most_codes::integer
)
SELECT code FROM found
WHERE lower(code) = :word OR :word = ANY(regexp_split_to_array(lower(code), '[^a-z0-9]+'))
LIMIT :most_found::integer

-- name: along_beginnings
-- Those with one of the external ids that begin so, of which a few are followed: the first that are wanted, so that what
-- others have, or what a filter leaves out, hides nothing. What is wanted and stands far behind others is not led to:
-- nobody's ids are read without an end.
SELECT beginning.prefix, NULL::timestamptz AS at, entry.request_id, 0 AS sequence
FROM (
    SELECT DISTINCT prefix FROM (
        SELECT *, external_id COLLATE "C" AS prefix FROM request
        WHERE external_id IS NOT NULL AND external_id COLLATE "C" >= :prefix AND external_id COLLATE "C" < :beyond
        ORDER BY prefix LIMIT :most_seen::integer
    ) AS request
    WHERE {matching}
    ORDER BY prefix LIMIT :most_found::integer
) AS beginning CROSS JOIN LATERAL (
    SELECT request_id FROM request
    WHERE external_id IS NOT NULL
        AND (external_id COLLATE "C", request_id) {beyond} (beginning.prefix, :id)
        AND (external_id COLLATE "C", request_id) {before} (beginning.prefix, :edge)
    ORDER BY external_id COLLATE "C" {direction}, request_id {direction}
    LIMIT :most_seen::integer
) AS entry

-- name: customers
-- Customers of the channels that have this id.
SELECT customer_id FROM customer
WHERE external_id = :customer AND channel = ANY(ARRAY(
    SELECT channel FROM request_count UNION SELECT channel FROM request_count_note
))

-- name: matching
-- Whether a request that the walk came past is wanted.
{is_current}
AND (:visible::text IS NULL OR channel = :visible)
AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams))
AND (:channel::text IS NULL OR channel = :channel)
AND (:reference::text IS NULL OR reference = :reference)
AND (:external_id::text IS NULL OR external_id = :external_id)
AND (:customer_id::uuid IS NULL OR customer_id = :customer_id)
AND (:kind::text IS NULL OR kind = :kind)
AND (:state::text IS NULL OR :state = coalesce(ended_as, CASE WHEN pause_reasons = '{{}}' THEN 'open' ELSE 'paused' END))
AND (:is_over::boolean IS NULL OR (ended_as IS NOT NULL) = :is_over)
AND (:stage::text IS NULL OR stage = :stage)
AND (:team::text IS NULL OR team = :team)
AND (:handler::text IS NULL OR handler = :handler)
AND (:market::text IS NULL OR market = :market)
AND (:priority::text IS NULL OR priority = :priority)
AND (:process::text IS NULL OR process = :process)
AND (:product_line::text IS NULL OR product_line = :product_line)
AND (:submitted_from::timestamptz IS NULL OR submitted_at >= :submitted_from)
AND (:submitted_to::timestamptz IS NULL OR submitted_at < :submitted_to)
AND (NOT :is_about_deadline::boolean OR EXISTS (
    SELECT FROM deadline
    WHERE deadline.request_id = request.request_id AND objective = :objective AND state IN ('running', 'breached')
        AND (:due_after::timestamptz IS NULL OR due_at >= :due_after)
        AND (:due_before::timestamptz IS NULL OR due_at < :due_before)
))
AND (:changed_since::timestamptz IS NULL OR EXISTS (
    SELECT FROM request_event
    WHERE request_event.request_id = request.request_id AND request_event.sequence = request.version
        AND recorded_at >= :changed_since
))

-- name: page
-- The first of the walk that are wanted. The limit of one lets the walk go first; a plain join may be turned around.
SELECT seen.at, seen.sequence AS seen_sequence,
    request.request_id, reference, external_id, kind, process, process_version, priority, product_line, channel, market,
    stage, team, handler, ended_as, outcome, pause_reasons, submitted_at, closed_at, version,
    (
        SELECT min(due_at) FROM deadline
        WHERE deadline.request_id = request.request_id AND objective = :objective AND state IN ('running', 'breached')
    ) AS due_at,
    (
        SELECT recorded_at FROM request_event
        WHERE request_event.request_id = request.request_id AND request_event.sequence = request.version
    ) AS changed_at
FROM ({walk}) AS seen
    CROSS JOIN LATERAL (SELECT * FROM request WHERE request_id = seen.request_id LIMIT 1) AS request
WHERE {matching}
{order}
LIMIT :count::integer

-- name: end
-- Where the walk stopped because it had come past as many as it may; nothing when it came to its end.
SELECT at, request_id, sequence FROM ({walk}) AS seen OFFSET :most_seen::integer - 1

-- name: count
-- How many are wanted of those that the walk comes past, up to one more than can be told.
SELECT count(*) FROM (
    SELECT FROM ({walk}) AS seen
    CROSS JOIN LATERAL (SELECT * FROM request WHERE request_id = seen.request_id LIMIT 1) AS request
    WHERE {matching}
    LIMIT :count::integer
) AS found

-- name: count_all
-- How many the walk comes past, up to one more than can be told. All of them are wanted: the index alone is read.
SELECT count(*) FROM (SELECT FROM ({walk}) AS seen LIMIT :count::integer) AS found
