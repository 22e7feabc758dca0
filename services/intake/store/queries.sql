-- name: insert_requests
-- Takes in a batch: claims each idempotency key with its answer, records customer, request and first entry of the
-- history. Gives a row per request whose key was free. Rows are inserted in one order by everybody, against deadlocks;
-- the limit on waiting is set inside the statement because it must hold before the first row is claimed.
WITH input AS (
    SELECT * FROM unnest(
        :request_ids::uuid[], :references::text[], :status_tokens::text[], :channels::text[], :external_ids::text[],
        :kinds::text[], :processes::text[], :process_versions::integer[], :product_lines::text[], :priorities::text[],
        :markets::text[], :languages::text[], :customer_tiers::text[], :attributes::text[], :descriptions::text[],
        :stages::text[], :submitted_ats::timestamptz[], :recorded_ats::timestamptz[], :event_types::text[],
        :event_data::text[], :heads::bytea[],
        :customer_ids::uuid[], :customer_external_ids::text[], :names::text[], :emails::text[], :phones::text[],
        :keys::text[], :fingerprints::bytea[], :statuses::smallint[], :bodies::text[]
    ) WITH ORDINALITY AS t (
        request_id, reference, status_token, channel, external_id,
        kind, process, process_version, product_line, priority,
        market, language, customer_tier, attributes, description,
        stage, submitted_at, recorded_at, event_type,
        event_data, head,
        new_customer_id, customer_external_id, name, email, phone,
        key, fingerprint, status, body, position
    )
),
patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', :lock_timeout::text, true) AS lock_timeout
),
claimed AS (
    INSERT INTO idempotency_key (caller, key, fingerprint, request_id, status, body)
    SELECT channel, key, fingerprint, request_id, status, body
    FROM input, patience
    WHERE patience.lock_timeout <> ''
    ORDER BY channel, key
    ON CONFLICT DO NOTHING
    RETURNING request_id
),
fresh AS (
    SELECT input.* FROM input JOIN claimed USING (request_id)
),
known AS (
    INSERT INTO customer AS old
        (customer_id, channel, external_id, name, email, phone, language, market, version, given_by, recorded_at)
    SELECT DISTINCT ON (channel, customer_external_id)
        new_customer_id, channel, customer_external_id, name, email, phone, language, market, 1, request_id, recorded_at
    FROM fresh
    ORDER BY channel, customer_external_id, position DESC
    ON CONFLICT (channel, external_id) DO UPDATE SET
        (name, email, phone, language, market, version, given_by, recorded_at) = (
            SELECT excluded.name, excluded.email, excluded.phone, excluded.language, excluded.market,
                old.version + is_changed::integer,
                CASE WHEN is_changed THEN excluded.given_by ELSE old.given_by END,
                CASE WHEN is_changed THEN excluded.recorded_at ELSE old.recorded_at END
            FROM (SELECT (old.name, old.email, old.phone, old.language, old.market)
                IS DISTINCT FROM (excluded.name, excluded.email, excluded.phone, excluded.language, excluded.market)
            ) AS comparison (is_changed)
        )
    RETURNING customer_id, channel, external_id, version, given_by
),
stored AS (
    INSERT INTO request (
        request_id, reference, status_token, channel, external_id, kind, process, process_version, product_line,
        priority, market, language, customer_id, customer_tier, attributes, description, stage, pause_reasons,
        is_responded, submitted_at, version, head
    )
    SELECT fresh.request_id, reference, status_token, channel, fresh.external_id, kind, process, process_version,
        product_line, priority, market, language, customer_id, customer_tier, attributes::jsonb, description, stage,
        '{}', false, submitted_at, 1, head
    FROM fresh JOIN known USING (channel)
    WHERE known.external_id = fresh.customer_external_id
),
told AS (
    INSERT INTO request_event (request_id, sequence, type, data, occurred_at, recorded_at, caller, hash)
    SELECT request_id, 1, event_type, event_data::json, submitted_at, recorded_at, channel, head FROM fresh
)
SELECT fresh.request_id, known.customer_id, known.version AS contact_version,
    known.given_by = fresh.request_id AS is_contact_news
FROM fresh JOIN known USING (channel)
WHERE known.external_id = fresh.customer_external_id;

-- name: claim_key
-- Claims an idempotency key for the rest of the transaction; gives nothing if it was used before.
WITH patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', :lock_timeout::text, true) AS lock_timeout
)
INSERT INTO idempotency_key (caller, key, fingerprint)
SELECT :caller, :key, :fingerprint FROM patience WHERE patience.lock_timeout <> ''
ON CONFLICT DO NOTHING
RETURNING true;

-- name: select_answer
-- The answer that was given when the key was used first.
SELECT fingerprint, status, body FROM idempotency_key WHERE caller = :caller AND key = :key;

-- name: select_answers
-- The answers of several keys that were used before.
SELECT caller, key, fingerprint, status, body
FROM idempotency_key JOIN unnest(:callers::text[], :keys::text[]) AS asked (caller, key) USING (caller, key);

-- name: delete_old_keys
-- Forgets answers nobody will ask for again, oldest blocks first and few at a time.
DELETE FROM idempotency_key
WHERE (caller, key) IN (
    SELECT caller, key FROM idempotency_key WHERE recorded_at < :before LIMIT :count::integer
);

-- name: lock_request
-- Locks a request against other moves until the transaction ends; only one's own unless the caller is staff.
SELECT request_id FROM request WHERE reference = :reference AND (:channel::text IS NULL OR channel = :channel)
FOR NO KEY UPDATE;

-- name: select_by_reference
-- A request with its history and deadlines, all of one instant; only one's own unless the caller is staff.
SELECT request.*,
    (
        SELECT json_agg(json_build_object(
            'sequence', sequence, 'type', type, 'data', data, 'occurred_at', occurred_at, 'recorded_at', recorded_at,
            'by', caller, 'cause', cause, 'hash', encode(hash, 'hex')) ORDER BY sequence)::text
        FROM request_event WHERE request_event.request_id = request.request_id
    ) AS history,
    (
        SELECT json_agg(json_build_array(relation, other.reference) ORDER BY other.request_id)::text
        FROM request_link JOIN request AS other ON other.request_id = other_id
        WHERE request_link.request_id = request.request_id
    ) AS related,
    (
        SELECT json_agg(to_json(deadline) ORDER BY objective, cycle)::text
        FROM deadline WHERE deadline.request_id = request.request_id
    ) AS deadlines
FROM request
WHERE reference = :reference AND (:channel::text IS NULL OR channel = :channel);

-- name: select_by_token
-- The same for the holder of the customer's link.
SELECT request.*,
    (
        SELECT json_agg(json_build_object(
            'sequence', sequence, 'type', type, 'data', data, 'occurred_at', occurred_at, 'recorded_at', recorded_at,
            'by', caller, 'cause', cause, 'hash', encode(hash, 'hex')) ORDER BY sequence)::text
        FROM request_event WHERE request_event.request_id = request.request_id
    ) AS history,
    (
        SELECT json_agg(json_build_array(relation, other.reference) ORDER BY other.request_id)::text
        FROM request_link JOIN request AS other ON other.request_id = other_id
        WHERE request_link.request_id = request.request_id
    ) AS related,
    (
        SELECT json_agg(to_json(deadline) ORDER BY objective, cycle)::text
        FROM deadline WHERE deadline.request_id = request.request_id
    ) AS deadlines
FROM request
WHERE status_token = :status_token;

-- name: select_page
-- The same for some requests, in the order of their ids.
SELECT request.*,
    (
        SELECT json_agg(json_build_object(
            'sequence', sequence, 'type', type, 'data', data, 'occurred_at', occurred_at, 'recorded_at', recorded_at,
            'by', caller, 'cause', cause, 'hash', encode(hash, 'hex')) ORDER BY sequence)::text
        FROM request_event WHERE request_event.request_id = request.request_id
    ) AS history,
    (
        SELECT json_agg(json_build_array(relation, other.reference) ORDER BY other.request_id)::text
        FROM request_link JOIN request AS other ON other.request_id = other_id
        WHERE request_link.request_id = request.request_id
    ) AS related,
    (
        SELECT json_agg(to_json(deadline) ORDER BY objective, cycle)::text
        FROM deadline WHERE deadline.request_id = request.request_id
    ) AS deadlines
FROM request
WHERE request_id > :after
ORDER BY request_id LIMIT :count::integer;

-- name: record_changes
-- Appends to the history and brings the request's row up to it; gives how many entries were appended.
WITH moved AS (
    UPDATE request SET process = :process, process_version = :process_version::integer, stage = :stage,
        product_line = :product_line, priority = :priority, customer_tier = :customer_tier,
        attributes = :attributes::text::jsonb, team = :team, handler = :handler, pause_reasons = :pause_reasons,
        awaited = :awaited::text::jsonb, controls = :controls::text::jsonb, has_left_stage = :has_left_stage,
        is_acknowledged = :is_acknowledged, is_responded = :is_responded, ended_as = :ended_as, outcome = :outcome,
        reason = :reason, closed_at = :closed_at, merged_into = :merged_into, cycle = :cycle, score = :score,
        head = :head, version = :version::integer
    WHERE request_id = :request_id AND version = :version::integer - cardinality(:sequences::integer[])
    RETURNING request_id
)
INSERT INTO request_event (request_id, sequence, type, data, occurred_at, recorded_at, caller, cause, hash)
SELECT request_id, sequence, type, data, occurred_at, recorded_at, caller, cause, hash
FROM moved, unnest(
    :sequences::integer[], :types::text[], :data::json[], :occurred_ats::timestamptz[], :recorded_ats::timestamptz[],
    :callers::text[], :causes::text[], :hashes::bytea[]
) AS news (sequence, type, data, occurred_at, recorded_at, caller, cause, hash);

-- name: complete_answer
-- Completes the answer kept for a repeat of the call.
UPDATE idempotency_key SET request_id = :request_id, status = :status, body = :body
WHERE caller = :caller AND key = :key;

-- name: insert_texts
-- Keeps what people wrote with an entry.
INSERT INTO request_text (request_id, sequence, name, text)
SELECT :request_id, :sequence::integer, name, text FROM unnest(:names::text[], :texts::text[]) AS news (name, text);

-- name: select_texts
-- What people wrote about a request, in order.
SELECT sequence, name, text FROM request_text WHERE request_id = :request_id ORDER BY sequence, name;

-- name: insert_link
-- Says that two requests belong together, from the side of one.
INSERT INTO request_link (request_id, relation, other_id) VALUES (:request_id, :relation, :other_id);

-- name: lock_two
-- Locks two requests in one order, against each other; only one's own unless the caller is staff.
SELECT reference FROM request
WHERE reference = ANY(:references::text[]) AND (:channel::text IS NULL OR channel = :channel)
ORDER BY request_id FOR NO KEY UPDATE;

-- name: find_customer
-- Our id of a channel's customer.
SELECT customer_id FROM customer WHERE channel = :channel AND external_id = :external_id;

-- name: forbid_all_but_walks
-- Until the end of the transaction plans walk along indexes in their order, and sort and scan nothing.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
    set_config('enable_sort', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('enable_material', 'off', true);

-- name: count_requests
-- How many there are per kind and state, open or paused or over in one way.
SELECT kind, state, sum(change)::bigint AS total
FROM (
    SELECT kind, state, channel, total AS change FROM request_count
    UNION ALL
    SELECT kind, state, channel, change FROM request_count_note
) AS parts
WHERE :channel::text IS NULL OR channel = :channel
GROUP BY kind, state HAVING sum(change) <> 0;

-- name: add_counts_up
-- Moves the notes of the counts that are committed into the counts; gives how many. One process at a time, others give up.
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtext('punctual.intake.request_count')) AS is_ours
),
taken AS (
    DELETE FROM request_count_note WHERE (SELECT is_ours FROM turn) RETURNING kind, state, channel, change
),
added AS (
    INSERT INTO request_count AS old (kind, state, channel, total)
    SELECT kind, state, channel, sum(change) FROM taken GROUP BY kind, state, channel
    ON CONFLICT (channel, kind, state) DO UPDATE SET total = old.total + excluded.total
)
SELECT count(*) FROM taken;

-- name: lock_deadlines
-- The stored deadlines of some clocks, locked in one order.
SELECT clock_id, request_id, objective, cycle, state, due_at, stopped_at, is_warned, escalation_level
FROM deadline WHERE clock_id = ANY(:clock_ids::uuid[])
ORDER BY clock_id FOR NO KEY UPDATE;

-- name: store_deadlines
-- Writes what became of some clocks.
INSERT INTO deadline
    (clock_id, request_id, objective, cycle, state, due_at, stopped_at, is_warned, escalation_level)
SELECT * FROM unnest(
    :clock_ids::uuid[], :request_ids::uuid[], :objectives::text[], :cycles::integer[], :states::text[],
    :due_ats::timestamptz[], :stopped_ats::timestamptz[], :are_warned::boolean[], :escalation_levels::integer[]
)
ON CONFLICT (clock_id) DO UPDATE SET
    cycle = excluded.cycle, state = excluded.state, due_at = excluded.due_at, stopped_at = excluded.stopped_at,
    is_warned = excluded.is_warned, escalation_level = excluded.escalation_level;

-- name: lock_processes
-- Keeps others from putting a definition in force until the transaction ends.
SELECT pg_advisory_xact_lock(hashtext('punctual.intake.process_version'));

-- name: newest_process_change
-- Grows whenever a definition is put in force.
SELECT max(change) FROM process_version;

-- name: newest_processes
-- The version in force of every process.
SELECT DISTINCT ON (process) process, version, source, origin, author, reason, applied_at
FROM process_version ORDER BY process, version DESC;

-- name: process_version
-- One version of a process.
SELECT process, version, source, origin, author, reason, applied_at
FROM process_version WHERE process = :process AND version = :version::integer;

-- name: newest_file_source
-- What was last taken from a process's file.
SELECT source FROM process_version WHERE process = :process AND origin = 'file' ORDER BY version DESC LIMIT 1;

-- name: process_history
-- The versions of a process below one, the newest first.
SELECT process, version, source, origin, author, reason, applied_at
FROM process_version WHERE process = :process AND (:before::integer IS NULL OR version < :before)
ORDER BY version DESC LIMIT :count::integer;

-- name: insert_process_version
-- Puts a definition in force as the next version; gives its number. The caller holds the lock.
INSERT INTO process_version (process, version, source, origin, author, reason, applied_at)
SELECT :process, coalesce(max(version), 0) + 1, :source, :origin, :author, :reason, :applied_at
FROM process_version WHERE process = :process
RETURNING version;

-- name: keep_heard
-- Keeps what others told about requests; what is known stays as it is.
INSERT INTO heard_event (request_id, source, sequence, type, occurred_at, recorded_at, data)
SELECT * FROM unnest(
    :request_ids::uuid[], :sources::text[], :sequences::bigint[], :types::text[], :occurred_ats::timestamptz[],
    :recorded_ats::timestamptz[], :data::json[]
)
ON CONFLICT DO NOTHING;

-- name: find_request_id
-- The id of a reference; only one's own unless the caller is staff.
SELECT request_id FROM request
WHERE reference = :reference AND (:channel::text IS NULL OR channel = :channel);

-- name: read_timeline
-- What happened to a request, our own history and what we heard, in one order. As much is read as one request has.
SELECT occurred_at, source, sequence, type, recorded_at, data::text, caller, cause
FROM (
    SELECT occurred_at, :own::text AS source, sequence::bigint, 'punctual.request.' || type AS type, recorded_at, data,
        caller, cause
    FROM request_event WHERE request_id = :request_id
    UNION ALL
    SELECT occurred_at, source, sequence, regexp_replace(type, '[.]v[0-9]+$', ''), recorded_at, data, NULL, NULL
    FROM heard_event WHERE request_id = :request_id
) AS everything
WHERE (:source::text IS NULL OR source = :source) AND source IS DISTINCT FROM :except_source::text
    AND (:at::timestamptz IS NULL
        OR (occurred_at, source COLLATE "C", sequence) > (:at, :after_source::text, :after_sequence::bigint))
ORDER BY occurred_at, source COLLATE "C", sequence
LIMIT :count::integer;

-- name: newest_transaction
-- Below this every transaction has ended.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

-- name: read_changes
-- Entries of the histories in the order of their transactions, only of those below which nothing can appear any more, with
-- the request as it is now.
SELECT entry.transaction_id::text::bigint AS transaction_id, entry.sequence, entry.type, entry.recorded_at,
    request.request_id, reference, kind, channel, request.version, stage, team, ended_as, pause_reasons
FROM (
    SELECT transaction_id, request_id, sequence, type, recorded_at FROM request_event
    WHERE (transaction_id, request_id, sequence) > (:transaction_id::bigint::text::xid8, :request_id, :sequence::integer)
        AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY transaction_id, request_id, sequence LIMIT :count::integer
) AS entry JOIN request USING (request_id)
ORDER BY entry.transaction_id, entry.request_id, entry.sequence;
