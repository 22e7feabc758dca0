-- name: ensure_contacts
-- Make the rows to lock for customers that were only mentioned so far.
INSERT INTO contact (customer_id)
SELECT customer_id FROM unnest(:customer_ids::uuid[]) AS mentioned (customer_id) ORDER BY customer_id
ON CONFLICT DO NOTHING;

-- name: lock_contacts
-- Contacts by id; every transaction locks contacts first, then requests, then notices, each in order.
SELECT customer_id, version, details, is_erased FROM contact
WHERE customer_id = ANY(:customer_ids::uuid[])
ORDER BY customer_id FOR UPDATE;

-- name: find_contact
-- One contact as it is.
SELECT customer_id, version, details, is_erased FROM contact WHERE customer_id = :customer_id;

-- name: save_contacts
-- Write changed contacts back; what was plain is so no more.
UPDATE contact AS c
SET version = n.version, details = n.details, name = NULL, email = NULL, is_erased = n.is_erased
FROM unnest(:customer_ids::uuid[], :versions::integer[], :details::bytea[], :are_erased::boolean[])
    AS n (customer_id, version, details, is_erased)
WHERE c.customer_id = n.customer_id;

-- name: plain_contacts
-- Lock contacts that were stored before they were encrypted.
SELECT customer_id, version, name, email FROM contact WHERE name IS NOT NULL
ORDER BY customer_id LIMIT :count FOR UPDATE;

-- name: find_customer_keys
-- Keys as they are stored; whoever is missing has none.
SELECT customer_id, wrapped FROM customer_key WHERE customer_id = ANY(:customer_ids::uuid[]);

-- name: insert_customer_keys
-- Keys of customers who had none, or one that is damaged and opens nothing; their contacts are locked.
INSERT INTO customer_key (customer_id, wrapped) SELECT * FROM unnest(:customer_ids::uuid[], :wrapped::bytea[])
ON CONFLICT (customer_id) DO UPDATE SET wrapped = excluded.wrapped;

-- name: delete_customer_keys
-- Destroy them, and with them whatever they encrypted.
DELETE FROM customer_key WHERE customer_id = ANY(:customer_ids::uuid[]);

-- name: customers_of_requests
-- Whose requests these are; the customer of a request never changes, so no lock is needed.
SELECT DISTINCT customer_id FROM request_view
WHERE request_id = ANY(:request_ids::uuid[]) AND customer_id IS NOT NULL;

-- name: requests_with_live_notices
-- Requests of these customers that still have something to tell.
SELECT DISTINCT v.request_id FROM request_view AS v JOIN notice AS n USING (request_id)
WHERE v.customer_id = ANY(:customer_ids::uuid[])
    AND n.state IN ('planned', 'held', 'ready', 'sending', 'in_doubt');

-- name: ensure_requests
-- Make the rows to lock for requests that were not heard of before.
INSERT INTO request_view (request_id)
SELECT request_id FROM unnest(:request_ids::uuid[]) AS heard (request_id) ORDER BY request_id
ON CONFLICT DO NOTHING;

-- name: lock_requests
-- Requests by id, with Postgres' clock.
SELECT request_id, reference, kind, language, market, customer_id, status_path, correlation_id, submitted_at,
    recorded_at, stage, pause_reasons, outcome, cycle, expected_at, expected_cycle, expected_revision, ended_cycle,
    expected_started_at, reopened_at, told_expected_at, notice_sequence, clock_timestamp() AS real_now
FROM request_view
WHERE request_id = ANY(:request_ids::uuid[])
ORDER BY request_id FOR UPDATE;

-- name: save_requests
-- Write changed requests back; JSON because arrays of arrays must be rectangular.
UPDATE request_view AS v SET
    reference = n.reference, kind = n.kind, language = n.language, market = n.market, customer_id = n.customer_id,
    status_path = n.status_path, correlation_id = n.correlation_id, submitted_at = n.submitted_at,
    recorded_at = n.recorded_at, stage = n.stage, pause_reasons = n.pause_reasons, outcome = n.outcome,
    cycle = n.cycle, expected_at = n.expected_at, expected_cycle = n.expected_cycle,
    expected_revision = n.expected_revision, ended_cycle = n.ended_cycle,
    expected_started_at = n.expected_started_at, reopened_at = n.reopened_at,
    told_expected_at = n.told_expected_at, notice_sequence = n.notice_sequence
FROM jsonb_to_recordset(:views::jsonb) AS n (
    request_id uuid, reference text, kind text, language text, market text, customer_id uuid, status_path text,
    correlation_id text, submitted_at timestamptz, recorded_at timestamptz, stage text, pause_reasons text[],
    outcome text, cycle integer, expected_at timestamptz, expected_cycle integer, expected_revision integer,
    ended_cycle integer, expected_started_at timestamptz, reopened_at timestamptz, told_expected_at timestamptz,
    notice_sequence bigint)
WHERE v.request_id = n.request_id;

-- name: lock_notices_of_requests
-- The unended notices of these requests; of those that a withdrawal speaks of also the breaches and escalations that
-- somebody may have read, and the withdrawals told before. With the language of their words while these exist.
SELECT notice_id, request_id, cycle, kind, cause, audience, facts, correlation_id, traceparent, caused_at, planned_at,
    state, reason, phase, attempt, failures, is_resend, is_overtaken, remaining, attend_at, first_put_off_at,
    contact_version, told_expected_at, ended_at, clock_timestamp() AS real_now,
    (SELECT language FROM rendering AS r WHERE r.notice_id = notice.notice_id) AS language
FROM notice
WHERE (request_id = ANY(:request_ids::uuid[]) AND state IN ('planned', 'held', 'ready', 'sending', 'in_doubt'))
    OR (request_id = ANY(:with_told::uuid[]) AND (kind = 'breach_withdrawn' OR (kind IN ('breach', 'escalation')
        AND (state = 'sent' OR (state = 'failed' AND (is_resend OR reason IN ('in_doubt', 'superseded')))))))
ORDER BY notice_id FOR UPDATE;

-- name: ready_for_customers
-- Lock what may be claimed for customers now, oldest first; a later notice to one audience of a request waits for the
-- earlier, unless that one is only for those left whom the relay put off.
SELECT notice_id FROM notice AS n
WHERE state = 'ready' AND audience = 'customer' AND attend_at <= clock_timestamp() AND NOT EXISTS (
    SELECT FROM notice AS earlier
    WHERE earlier.request_id = n.request_id AND earlier.audience = n.audience AND earlier.number < n.number
        AND earlier.state IN ('ready', 'sending') AND earlier.remaining IS NULL)
ORDER BY attend_at, number
LIMIT :count FOR UPDATE SKIP LOCKED;

-- name: ready_for_staff
-- Lock what may be claimed for staff now, oldest first; a later notice to one audience of a request waits for the
-- earlier, unless that one is only for those left whom the relay put off.
SELECT notice_id FROM notice AS n
WHERE state = 'ready' AND audience <> 'customer' AND attend_at <= clock_timestamp() AND NOT EXISTS (
    SELECT FROM notice AS earlier
    WHERE earlier.request_id = n.request_id AND earlier.audience = n.audience AND earlier.number < n.number
        AND earlier.state IN ('ready', 'sending') AND earlier.remaining IS NULL)
ORDER BY attend_at, number
LIMIT :count FOR UPDATE SKIP LOCKED;

-- name: lock_notices
-- Notices by id, with Postgres' clock, and the language of their words while these exist.
SELECT notice_id, request_id, cycle, kind, cause, audience, facts, correlation_id, traceparent, caused_at, planned_at,
    state, reason, phase, attempt, failures, is_resend, is_overtaken, remaining, attend_at, first_put_off_at,
    contact_version, told_expected_at, ended_at, clock_timestamp() AS real_now,
    (SELECT language FROM rendering AS r WHERE r.notice_id = notice.notice_id) AS language
FROM notice
WHERE notice_id = ANY(:notice_ids::uuid[])
ORDER BY notice_id FOR UPDATE;

-- name: insert_notices
-- Take the keys, in the order given; gives those that were free.
INSERT INTO notice (notice_id, request_id, cycle, kind, cause, audience, facts, correlation_id, traceparent, caused_at,
    planned_at)
SELECT notice_id, request_id, cycle, kind, cause, audience, facts, correlation_id, traceparent, caused_at, planned_at
FROM jsonb_to_recordset(:notices::jsonb) AS n (
    position integer, notice_id uuid, request_id uuid, cycle integer, kind text, cause text, audience text, facts jsonb,
    correlation_id text, traceparent text, caused_at timestamptz, planned_at timestamptz)
ORDER BY n.position
ON CONFLICT ON CONSTRAINT notice_said_once DO NOTHING
RETURNING notice_id;

-- name: save_notices
-- Write changed notices back.
UPDATE notice AS o SET
    state = n.state, reason = n.reason, phase = n.phase, attempt = n.attempt, failures = n.failures,
    is_resend = n.is_resend, is_overtaken = n.is_overtaken,
    remaining = string_to_array(n.remaining, ',')::integer[], attend_at = n.attend_at,
    first_put_off_at = n.first_put_off_at, contact_version = n.contact_version,
    told_expected_at = n.told_expected_at, ended_at = n.ended_at
FROM unnest(:notice_ids::uuid[], :states::text[], :reasons::text[], :phases::text[], :attempts::integer[],
        :failures::integer[], :are_resends::boolean[], :are_overtaken::boolean[], :remaining::text[],
        :attend_ats::timestamptz[], :first_put_off_ats::timestamptz[], :contact_versions::integer[],
        :told_expected_ats::timestamptz[], :ended_ats::timestamptz[])
    AS n (notice_id, state, reason, phase, attempt, failures, is_resend, is_overtaken, remaining, attend_at,
        first_put_off_at, contact_version, told_expected_at, ended_at)
WHERE o.notice_id = n.notice_id;

-- name: save_facts
-- Write back what notices say.
UPDATE notice AS o SET facts = n.facts
FROM jsonb_to_recordset(:notices::jsonb) AS n (notice_id uuid, facts jsonb)
WHERE o.notice_id = n.notice_id;

-- name: save_renderings
-- The words of notices that became ready; newer words replace older ones that nobody has seen.
INSERT INTO rendering (notice_id, language, recipients, message, customer_id, encrypted)
SELECT n.notice_id, n.language, string_to_array(n.recipients, ','), n.message, n.customer_id, n.encrypted
FROM unnest(:notice_ids::uuid[], :languages::text[], :recipients::text[], :messages::bytea[], :customer_ids::uuid[],
        :encrypted::bytea[])
    AS n (notice_id, language, recipients, message, customer_id, encrypted)
ON CONFLICT (notice_id) DO UPDATE
SET language = excluded.language, recipients = excluded.recipients, message = excluded.message,
    customer_id = excluded.customer_id, encrypted = excluded.encrypted;

-- name: renderings
-- What to hand over.
SELECT notice_id, language, recipients, message, customer_id, encrypted FROM rendering
WHERE notice_id = ANY(:notice_ids::uuid[]);

-- name: mails_to_customer
-- Every kept mail to a customer with its notice, oldest first.
SELECT n.notice_id, n.request_id, v.reference, n.kind, n.state, n.reason, n.planned_at, n.ended_at,
    r.language, r.recipients, r.message, r.customer_id, r.encrypted
FROM request_view AS v JOIN notice AS n USING (request_id) JOIN rendering AS r USING (notice_id)
WHERE v.customer_id = :customer_id AND n.audience = 'customer'
ORDER BY n.number;

-- name: insert_access_record
-- Note a reading of what is held on a customer.
INSERT INTO access_record (customer_id, who, subject, roles, occurred_at, real_at, correlation_id)
VALUES (:customer_id, :who, :subject, :roles::text[], :occurred_at, :real_at, :correlation_id);

-- name: accesses_of_customer
-- Who read it, the oldest first.
SELECT customer_id, who, subject, roles, occurred_at, real_at, correlation_id
FROM access_record WHERE customer_id = :customer_id ORDER BY number;

-- name: delete_renderings
-- Drop everything that was written to these customers; how much it was.
WITH deleted AS (
    DELETE FROM rendering AS r USING notice AS n, request_view AS v
    WHERE r.notice_id = n.notice_id AND n.request_id = v.request_id AND n.audience = 'customer'
        AND v.customer_id = ANY(:customer_ids::uuid[])
    RETURNING v.customer_id)
SELECT customer_id, count(*) AS count FROM deleted GROUP BY customer_id;

-- name: plain_mails
-- Mails to customers that were stored before they were encrypted.
SELECT notice_id, customer_id FROM rendering WHERE customer_id IS NOT NULL AND encrypted IS NULL
ORDER BY notice_id LIMIT :count;

-- name: lock_plain_mails
-- The same ones, unless they were erased meanwhile.
SELECT notice_id, language, recipients, message, customer_id, encrypted FROM rendering
WHERE notice_id = ANY(:notice_ids::uuid[]) AND customer_id IS NOT NULL AND encrypted IS NULL
ORDER BY notice_id FOR UPDATE;

-- name: delete_old_mails
-- Drop the words of notices that ended before an instant, oldest first; the notices stay.
WITH old AS (
    SELECT notice_id FROM notice WHERE ended_at < :before AND NOT is_mail_deleted
    ORDER BY ended_at LIMIT :count FOR UPDATE SKIP LOCKED
), deleted AS (
    DELETE FROM rendering USING old WHERE rendering.notice_id = old.notice_id RETURNING old.notice_id
), marked AS (
    UPDATE notice SET is_mail_deleted = true FROM old WHERE notice.notice_id = old.notice_id
)
SELECT (SELECT count(*) FROM old) AS notices, (SELECT count(*) FROM deleted) AS mails;

-- name: overdue_notices
-- Leases and doubts that ran out.
SELECT notice_id, request_id FROM notice
WHERE state IN ('sending', 'in_doubt') AND attend_at <= clock_timestamp()
ORDER BY attend_at LIMIT :count;

-- name: insert_attempts
-- Write down what the relay answered; a late answer may be written twice.
INSERT INTO attempt (notice_id, attempt, outcome, step, reply_code, enhanced_code)
SELECT * FROM unnest(:notice_ids::uuid[], :attempts::integer[], :outcomes::text[], :steps::text[],
    :reply_codes::integer[], :enhanced_codes::text[])
ON CONFLICT DO NOTHING;

-- name: list_notices
-- Newest first, without anything personal.
SELECT n.notice_id, n.request_id, v.reference, n.kind, n.cause, n.cycle, n.audience, n.state, n.reason, r.language,
    n.attempt, n.is_resend, n.caused_at, n.planned_at, n.ended_at, n.told_expected_at, n.correlation_id
FROM notice AS n JOIN request_view AS v USING (request_id) LEFT JOIN rendering AS r USING (notice_id)
WHERE (:request_id::uuid IS NULL OR n.request_id = :request_id)
    AND (:reference::text IS NULL OR v.reference = :reference)
    AND (:state::text IS NULL OR n.state = :state)
ORDER BY n.number DESC LIMIT :count;

-- name: count_by_state
-- How many notices are in each state.
SELECT state, count(*) AS count FROM notice GROUP BY state;

-- name: count_live
-- How many notices wait in each unended state; reads only those.
SELECT state, count(*) AS count FROM notice
WHERE state IN ('planned', 'held', 'ready', 'sending', 'in_doubt') GROUP BY state;
