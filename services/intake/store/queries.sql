-- name: insert_requests
-- Takes in a batch: claims each idempotency key with its answer, records customer, request, its portrait and the first
-- entry of the history, and the second where it is doubted. Gives a row per request whose key was free. Rows are inserted in one order by everybody, against deadlocks,
-- and of a key that occurs twice the first comes first: Postgres' sort leaves open what it is not asked for;
-- the limit on waiting is set inside the statement because it must hold before the first row is claimed.
WITH input AS (
    SELECT * FROM unnest(
        :request_ids::uuid[], :references::text[], :status_tokens::text[], :channels::text[], :external_ids::text[],
        :external_id_salts::bytea[], :external_id_hashes::bytea[],
        :kinds::text[], :processes::text[], :process_versions::integer[], :product_lines::text[], :priorities::text[],
        :markets::text[], :languages::text[], :customer_tiers::text[], :attributes::text[], :descriptions::bytea[],
        :stages::text[], :submitted_ats::timestamptz[], :recorded_ats::timestamptz[], :event_types::text[],
        :event_data::text[], :heads::bytea[],
        :doubts::text[], :doubted_types::text[], :doubted_data::text[], :doubted_ats::timestamptz[],
        :doubted_causes::text[], :doubted_hashes::bytea[], :policies::text[], :signatures::bytea[],
        :customer_ids::uuid[], :customer_external_ids::text[], :wrapped_keys::bytea[], :details::bytea[],
        :marks::bytea[],
        :keys::text[], :fingerprints::bytea[], :statuses::smallint[], :bodies::text[]
    ) WITH ORDINALITY AS t (
        request_id, reference, status_token, channel, external_id,
        external_id_salt, external_id_hash,
        kind, process, process_version, product_line, priority,
        market, language, customer_tier, attributes, description,
        stage, submitted_at, recorded_at, event_type,
        event_data, head,
        doubts, doubted_type, doubted_data, doubted_at,
        doubted_cause, doubted_hash, policy, signature,
        new_customer_id, customer_external_id, wrapped, details, mark,
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
    ORDER BY channel, key, position
    ON CONFLICT DO NOTHING
    RETURNING request_id
),
fresh AS (
    SELECT input.* FROM input JOIN claimed USING (request_id)
),
known AS (
    INSERT INTO customer AS old
        (customer_id, channel, external_id, details, mark, language, market, version, given_by, recorded_at)
    SELECT DISTINCT ON (channel, customer_external_id)
        new_customer_id, channel, customer_external_id, details, mark, language, market, 1, request_id, recorded_at
    FROM fresh
    ORDER BY channel, customer_external_id, position DESC
    ON CONFLICT (channel, external_id) DO UPDATE SET
        (details, mark, language, market, version, given_by, recorded_at) = (
            SELECT CASE WHEN is_changed THEN excluded.details ELSE old.details END, excluded.mark,
                excluded.language, excluded.market, old.version + is_changed::integer,
                CASE WHEN is_changed THEN excluded.given_by ELSE old.given_by END,
                CASE WHEN is_changed THEN excluded.recorded_at ELSE old.recorded_at END
            FROM (SELECT old.mark IS DISTINCT FROM excluded.mark) AS comparison (is_changed)
        )
    RETURNING customer_id, channel, external_id, version, given_by
),
keyed AS (
    INSERT INTO customer_key (customer_id, wrapped)
    SELECT DISTINCT new_customer_id, wrapped FROM fresh WHERE wrapped IS NOT NULL
),
stored AS (
    INSERT INTO request (
        request_id, reference, status_token, channel, external_id, external_id_salt, external_id_hash, kind, process,
        process_version, product_line,
        priority, market, language, customer_id, customer_tier, attributes, encrypted_description, stage,
        pause_reasons, is_responded, submitted_at, version, head, doubts
    )
    SELECT fresh.request_id, reference, status_token, channel, fresh.external_id, external_id_salt, external_id_hash, kind, process, process_version,
        product_line, priority, market, language, customer_id, customer_tier, attributes::jsonb, description, stage,
        '{}', false, submitted_at, CASE WHEN doubted_type IS NULL THEN 1 ELSE 2 END, coalesce(doubted_hash, head),
        string_to_array(doubts, ',')
    FROM fresh JOIN known USING (channel)
    WHERE known.external_id = fresh.customer_external_id
),
portrayed AS (
    INSERT INTO request_portrait (request_id, customer_id, kind, policy, submitted_at, signature)
    SELECT request_id, customer_id, kind, policy, submitted_at, signature
    FROM fresh JOIN known USING (channel)
    WHERE known.external_id = fresh.customer_external_id
),
told AS (
    INSERT INTO request_event (request_id, sequence, type, data, occurred_at, recorded_at, caller, cause, hash)
    SELECT request_id, 1, event_type, event_data::json, submitted_at, recorded_at, channel, NULL, head FROM fresh
    UNION ALL
    SELECT request_id, 2, doubted_type, doubted_data::json, doubted_at, recorded_at, channel, doubted_cause,
        doubted_hash
    FROM fresh WHERE doubted_type IS NOT NULL
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
SELECT fingerprint, status, body, request_id, external_id FROM idempotency_key LEFT JOIN request USING (request_id)
WHERE caller = :caller AND key = :key;

-- name: select_answers
-- The answers of several keys that were used before.
SELECT caller, key, fingerprint, status, body, request_id, external_id
FROM idempotency_key JOIN unnest(:callers::text[], :keys::text[]) AS asked (caller, key) USING (caller, key)
    LEFT JOIN request USING (request_id);

-- name: delete_old_keys
-- Forgets answers nobody will ask for again, oldest blocks first and few at a time. It is now() because an index serves
-- only what stays the same for a whole statement.
DELETE FROM idempotency_key
WHERE (caller, key) IN (
    SELECT caller, key FROM idempotency_key WHERE recorded_at < now() - :keep::interval LIMIT :count::integer
);

-- name: lock_request
-- Locks a request against other moves until the transaction ends; only one that the caller sees.
SELECT request_id FROM request
WHERE reference = :reference AND (:channel::text IS NULL OR channel = :channel)
    AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams))
FOR NO KEY UPDATE;

-- name: select_by_reference
-- A request with its history and deadlines, all of one instant; it and related ones only if the caller sees them.
SELECT request.*, history_of(request_id) AS history, related_to(request_id, :channel, :teams) AS related,
    deadlines_of(request_id) AS deadlines
FROM request
WHERE reference = :reference AND (:channel::text IS NULL OR channel = :channel)
    AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams));

-- name: select_related
-- Of the requests that are linked with one, those that the caller sees, as a look-up shows them.
SELECT related_to(:request_id, :channel, :teams);

-- name: select_by_token
-- The same for the holder of the customer's link.
SELECT request.*, history_of(request_id) AS history, related_to(request_id, NULL, NULL) AS related,
    deadlines_of(request_id) AS deadlines
FROM request
WHERE status_token = :status_token;

-- name: select_stored
-- A request with all that its proof takes, of one instant.
SELECT request.*, history_of(request_id) AS history, links_of(request_id) AS links,
    written_of(request_id) AS written, is_erased(customer_id) AS is_erased, NULL AS related, NULL AS deadlines
FROM request WHERE reference = :reference;

-- name: select_stored_page
-- The same for some requests, in the order of their ids.
SELECT request.*, history_of(request_id) AS history, links_of(request_id) AS links,
    written_of(request_id) AS written, is_erased(customer_id) AS is_erased, NULL AS related, NULL AS deadlines
FROM request WHERE request_id > :after ORDER BY request_id LIMIT :count::integer;

-- name: record_changes
-- Appends to the history and brings the request's row up to it; gives how many entries were appended.
WITH moved AS (
    UPDATE request SET process = :process, process_version = :process_version::integer, stage = :stage,
        product_line = :product_line, priority = :priority, customer_tier = :customer_tier,
        attributes = :attributes::text::jsonb, team = :team, handler = :handler, pause_reasons = :pause_reasons,
        awaited = :awaited::text::jsonb, controls = :controls::text::jsonb, has_left_stage = :has_left_stage,
        is_acknowledged = :is_acknowledged, is_responded = :is_responded, ended_as = :ended_as, outcome = :outcome,
        reason = :reason, closed_at = :closed_at, merged_into = :merged_into, cycle = :cycle, score = :score,
        doubts = :doubts, confirmed = :confirmed, dismissed = :dismissed,
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

-- name: insert_link
-- Says that two requests belong together, from the side of one.
INSERT INTO request_link (request_id, relation, other_id) VALUES (:request_id, :relation, :other_id);

-- name: lock_two
-- Locks two requests in one order, against each other; only those that the caller sees.
SELECT reference FROM request
WHERE reference = ANY(:references::text[]) AND (:channel::text IS NULL OR channel = :channel)
    AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams))
ORDER BY request_id FOR NO KEY UPDATE;

-- name: select_standing
-- Those of some requests that are worked on or were closed: neither merged into others nor cancelled.
SELECT request_id FROM request
WHERE request_id = ANY(:request_ids::uuid[]) AND (ended_as IS NULL OR ended_as = 'closed');

-- name: find_customer
-- Our id of a channel's customer.
SELECT customer_id FROM customer WHERE channel = :channel AND external_id = :external_id;

-- name: forbid_all_but_walks
-- Until the end of the transaction plans walk along indexes in their order, and sort and scan nothing.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
    set_config('enable_sort', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('enable_material', 'off', true);

-- name: count_requests
-- How many there are per kind and state, open or paused or over in one way. Who sees some teams sees what no team has, too.
SELECT kind, state, sum(change)::bigint AS total
FROM (
    SELECT kind, state, channel, team, total AS change FROM request_count
    UNION ALL
    SELECT kind, state, channel, team, change FROM request_count_note
) AS parts
WHERE (:channel::text IS NULL OR channel = :channel)
    AND (:teams::text[] IS NULL OR team = '' OR team = ANY(:teams))
GROUP BY kind, state HAVING sum(change) <> 0;

-- name: add_counts_up
-- Moves the notes of the counts that are committed into the counts; gives how many. One process at a time, others give up.
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtext('punctual.intake.request_count')) AS is_ours
),
taken AS (
    DELETE FROM request_count_note WHERE (SELECT is_ours FROM turn) RETURNING kind, state, channel, team, change
),
added AS (
    INSERT INTO request_count AS old (kind, state, channel, team, total)
    SELECT kind, state, channel, team, sum(change) FROM taken GROUP BY kind, state, channel, team
    ON CONFLICT (channel, team, kind, state) DO UPDATE SET total = old.total + excluded.total
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

-- name: known_process_sources
-- Those of some texts that were ever put in force.
SELECT DISTINCT source FROM process_version WHERE source = ANY(:sources::text[]);

-- name: was_process_file
-- Whether a text was ever taken from a process's file.
SELECT EXISTS (SELECT FROM process_version WHERE process = :process AND origin = 'file' AND source = :source);

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

-- name: insert_branch
-- Opens a request beside another one of the same customer; gives the customer.
WITH stored AS (
    INSERT INTO request (
        request_id, reference, status_token, channel, external_id, kind, process, process_version, product_line,
        priority, market, language, customer_id, customer_tier, attributes, encrypted_description, stage,
        pause_reasons, is_responded, submitted_at, version, head
    )
    SELECT :request_id, :reference, :status_token, channel, NULL, :kind, :process, :process_version::integer,
        :product_line, :priority, market, language, customer_id, customer_tier, :attributes::text::jsonb,
        :encrypted_description, :stage, '{}', false, :submitted_at, 1, :head
    FROM request WHERE request_id = :origin_id
    RETURNING request_id, customer_id
),
told AS (
    INSERT INTO request_event (request_id, sequence, type, data, occurred_at, recorded_at, caller, cause, hash)
    SELECT request_id, 1, 'submitted', :data::text::json, :submitted_at, :recorded_at, :caller, :cause, :head
    FROM stored
)
SELECT customer_id FROM stored;

-- name: lock_automation
-- Keeps others from putting rules in force until the transaction ends.
SELECT pg_advisory_xact_lock(hashtext('punctual.intake.automation_version'));

-- name: newest_automation
-- The rules in force.
SELECT version, source, origin, author, reason, applied_at FROM automation_version ORDER BY version DESC LIMIT 1;

-- name: newest_automation_version
-- The number of the rules in force.
SELECT max(version) FROM automation_version;

-- name: newest_automation_file
-- What was last taken from the file.
SELECT source FROM automation_version WHERE origin = 'file' ORDER BY version DESC LIMIT 1;

-- name: was_automation_file
-- Whether a text was ever taken from the file.
SELECT EXISTS (SELECT FROM automation_version WHERE origin = 'file' AND source = :source);

-- name: automation_history
-- Versions below one, the newest first.
SELECT version, source, origin, author, reason, applied_at
FROM automation_version WHERE :before::integer IS NULL OR version < :before
ORDER BY version DESC LIMIT :count::integer;

-- name: insert_automation_version
-- Puts rules in force as the next version; gives its number. The caller holds the lock.
INSERT INTO automation_version (version, source, origin, author, reason, applied_at)
SELECT coalesce(max(version), 0) + 1, :source, :origin, :author, :reason, :applied_at FROM automation_version
RETURNING version;

-- name: insert_automation_tasks
-- Has rules look at new requests.
INSERT INTO automation_task (request_id) SELECT * FROM unnest(:request_ids::uuid[]);

-- name: take_automation_tasks
-- Takes the requests that rules have to look at, the oldest first; the others leave what somebody works on.
DELETE FROM automation_task WHERE request_id IN (
    SELECT request_id FROM automation_task WHERE added_at <= clock_timestamp()
    ORDER BY added_at LIMIT :count::integer FOR UPDATE SKIP LOCKED
)
RETURNING (SELECT reference FROM request WHERE request.request_id = automation_task.request_id) AS reference;

-- name: set_automation_tasks_aside
-- Has rules look at requests later, as if they had been added then.
UPDATE automation_task SET added_at = clock_timestamp() + :later::interval
FROM request WHERE request.request_id = automation_task.request_id AND request.reference = any(:references::text[]);

-- name: count_past_requests
-- What the customer of a request had asked for before it: what was recorded earlier, and not more than a year before it was
-- submitted. When something was submitted the caller says, when it was recorded nobody else; of one instant the ids decide.
SELECT count(*) AS requests, count(*) FILTER (WHERE other.kind = 'complaint') AS complaints
FROM request JOIN request_event AS came ON came.request_id = request.request_id AND came.sequence = 1
    JOIN request AS other USING (customer_id)
    JOIN request_event AS other_came ON other_came.request_id = other.request_id AND other_came.sequence = 1
WHERE request.request_id = :request_id
    AND (other_came.recorded_at, other.request_id) < (came.recorded_at, request.request_id)
    AND other_came.recorded_at >= least(request.submitted_at, came.recorded_at) - interval '1 year';

-- name: count_pasts_of_requests
-- The same for some requests, as far as the caller sees what came before. Those of a customer are put in order once, however
-- many of them are asked for: what came before a request less what came before its year began is what counts.
WITH known AS (
    SELECT customer_id, request_id, kind, submitted_at, recorded_at
    FROM (SELECT DISTINCT customer_id FROM request WHERE request_id = ANY(:request_ids::uuid[])) AS asked
        JOIN request USING (customer_id) JOIN request_event AS came USING (request_id)
    WHERE came.sequence = 1 AND (:channel::text IS NULL OR channel = :channel)
        AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams))
),
marks AS (
    SELECT customer_id, request_id, kind, recorded_at AS at, true AS is_request FROM known
    UNION ALL
    SELECT customer_id, request_id, NULL, least(submitted_at, recorded_at) - interval '1 year', false FROM known
    WHERE request_id = ANY(:request_ids::uuid[])
),
counted AS (
    SELECT request_id, count(*) FILTER (WHERE is_request) OVER earlier AS requests,
        count(*) FILTER (WHERE kind = 'complaint') OVER earlier AS complaints
    FROM marks
    WINDOW earlier AS (
        PARTITION BY customer_id ORDER BY at, is_request, request_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
SELECT request_id, max(requests) - min(requests) AS requests, max(complaints) - min(complaints) AS complaints
FROM counted WHERE request_id = ANY(:request_ids::uuid[]) GROUP BY request_id;

-- name: set_reminder_timers
-- When to look at requests for reminders; NULL: not until something happens to them. The caller holds their locks.
WITH news AS (
    SELECT * FROM unnest(:request_ids::uuid[], :look_ats::timestamptz[]) AS news (request_id, look_at)
),
gone AS (
    DELETE FROM reminder_timer USING news WHERE reminder_timer.request_id = news.request_id AND news.look_at IS NULL
)
INSERT INTO reminder_timer AS old (request_id, look_at)
SELECT request_id, look_at FROM news WHERE look_at IS NOT NULL
ON CONFLICT (request_id) DO UPDATE SET look_at = excluded.look_at WHERE old.look_at <> excluded.look_at;

-- name: lock_due_reminders
-- Locks the requests to look at now, the earliest first; what somebody works on is left for the next time.
SELECT request_id, look_at FROM reminder_timer JOIN request USING (request_id)
WHERE look_at <= :now
ORDER BY look_at, request_id LIMIT :count::integer FOR NO KEY UPDATE OF request SKIP LOCKED;

-- name: next_reminder_look
-- When somebody has to look next.
SELECT min(look_at) FROM reminder_timer;

-- name: begin_reminder_sweep
-- Has every request that is not over be looked at under rules that are new.
INSERT INTO reminder_sweep (version) VALUES (:version::integer) ON CONFLICT DO NOTHING;

-- name: take_reminder_sweep
-- How far that has come, once every process may be taken to know the rules; nothing while another one is at it.
SELECT reached, is_done, begun_at <= clock_timestamp() - :grace::interval AS may_go FROM reminder_sweep
WHERE version = :version::integer FOR UPDATE SKIP LOCKED;

-- name: save_reminder_sweep
-- Says how far it has come.
UPDATE reminder_sweep SET reached = :reached, is_done = :is_done WHERE version = :version::integer;

-- name: list_open_ids
-- Requests that are not over, in the order of their ids, from after one.
SELECT request_id FROM request WHERE ended_as IS NULL AND request_id > :after ORDER BY request_id LIMIT :count::integer;

-- name: lock_free
-- Locks those of some requests that nobody works on.
SELECT request_id FROM request WHERE request_id = ANY(:request_ids::uuid[])
ORDER BY request_id FOR NO KEY UPDATE SKIP LOCKED;

-- name: select_by_ids
-- Some requests with their histories.
SELECT request.*, history_of(request_id) AS history, NULL AS related, NULL AS deadlines
FROM request WHERE request_id = ANY(:request_ids::uuid[]);

-- name: select_past_page
-- Requests submitted within a span, in the order of their ids, with their histories; only those that the caller sees.
SELECT request.*, history_of(request_id) AS history, NULL AS related, NULL AS deadlines
FROM request
WHERE request_id > :after AND submitted_at >= :since AND submitted_at < :until
    AND (:channel::text IS NULL OR channel = :channel)
    AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams))
ORDER BY request_id LIMIT :count::integer;

-- name: select_api_key
-- A key by its prefix.
SELECT prefix, secret_hash, name, role, scopes, rate_per_second, burst, created_at, created_by, expires_at, revoked_at,
    revoked_by, last_used_at, replaces,
    (SELECT next.prefix FROM api_key AS next WHERE next.replaces = api_key.prefix) AS replaced_by, number
FROM api_key WHERE prefix = :prefix;

-- name: lock_api_key
-- Locks a key against other changes until the transaction ends.
SELECT prefix FROM api_key WHERE prefix = :prefix FOR UPDATE;

-- name: list_api_keys
-- Keys, perhaps of one name, the newest first.
SELECT prefix, secret_hash, name, role, scopes, rate_per_second, burst, created_at, created_by, expires_at, revoked_at,
    revoked_by, last_used_at, replaces,
    (SELECT next.prefix FROM api_key AS next WHERE next.replaces = api_key.prefix) AS replaced_by, number
FROM api_key
WHERE (:name::text IS NULL OR name = :name) AND (:before::integer IS NULL OR number < :before)
ORDER BY number DESC LIMIT :count::integer;

-- name: insert_api_key
-- Adds a key, and its holder when the name is new. A name of the other role violates the reference to the holder.
WITH holder AS (
    INSERT INTO key_holder (name, role) VALUES (:name, :role) ON CONFLICT DO NOTHING
)
INSERT INTO api_key
    (prefix, secret_hash, name, role, scopes, rate_per_second, burst, created_at, created_by, expires_at, replaces)
VALUES (:prefix, :secret_hash, :name, :role, :scopes::text[], :rate_per_second::double precision, :burst::integer,
    :created_at, :created_by, :expires_at, :replaces);

-- name: end_api_key
-- Has a key expire; never later than it would have.
UPDATE api_key SET expires_at = least(expires_at, :expires_at::timestamptz) WHERE prefix = :prefix;

-- name: revoke_api_key
-- Ends a key at once; the first revocation counts.
UPDATE api_key SET revoked_at = :revoked_at, revoked_by = :revoked_by WHERE prefix = :prefix AND revoked_at IS NULL;

-- name: note_key_uses
-- When some keys were used last. Rows are taken in one order by everybody, against deadlocks.
UPDATE api_key SET last_used_at = greatest(api_key.last_used_at, used.at)
FROM (
    SELECT api_key.prefix, news.at
    FROM unnest(:prefixes::text[], :used_ats::timestamptz[]) AS news (prefix, at) JOIN api_key USING (prefix)
    ORDER BY prefix FOR UPDATE OF api_key
) AS used
WHERE api_key.prefix = used.prefix;

-- name: insert_access_record
-- Notes that somebody read personal data.
INSERT INTO access_record
    (who, subject, roles, route, what, reference, customer_id, occurred_at, real_at, correlation_id)
VALUES (:who, :subject, :roles::text[], :route, :what, :reference, :customer_id, :occurred_at, :real_at, :correlation_id);

-- name: list_access_records
-- Who read what, the newest first.
SELECT number, who, subject, roles, route, what, reference, customer_id, occurred_at, real_at, correlation_id
FROM access_record
WHERE (:who::text IS NULL OR who = :who) AND (:reference::text IS NULL OR reference = :reference)
    AND (:before::integer IS NULL OR number < :before)
ORDER BY number DESC LIMIT :count::integer;

-- name: find_candidates
-- The newest requests that each of some new ones may be a duplicate of: those of the same customer and kind, and those
-- about the same policy, within the span and bounded in number. One may come twice. The customer is looked up apart, so
-- that the index gives the newest of a customer who has a hundred thousand.
SELECT asked.position, near.request_id, request.channel, customer.external_id AS customer, near.kind,
    request.product_line, near.submitted_at, request.external_id, near.policy, near.signature,
    CASE jsonb_typeof(request.attributes -> 'amount')
        WHEN 'number' THEN (request.attributes ->> 'amount')::double precision END AS amount
FROM unnest(:channels::text[], :customers::text[], :kinds::text[], :policies::text[], :submitted_ats::timestamptz[])
    WITH ORDINALITY AS asked (channel, customer, kind, policy, submitted_at, position)
CROSS JOIN LATERAL (
    (
        SELECT portrait.* FROM request_portrait AS portrait
        WHERE portrait.customer_id = (
                SELECT known.customer_id FROM customer AS known
                WHERE known.channel = asked.channel AND known.external_id = asked.customer
            ) AND portrait.kind = asked.kind AND portrait.submitted_at > asked.submitted_at - :within::interval
            AND portrait.submitted_at < asked.submitted_at + :within::interval
        ORDER BY portrait.submitted_at DESC LIMIT :most::integer
    )
    UNION ALL
    (
        SELECT portrait.* FROM request_portrait AS portrait
        WHERE portrait.policy = asked.policy AND portrait.submitted_at > asked.submitted_at - :within::interval
            AND portrait.submitted_at < asked.submitted_at + :within::interval
        ORDER BY portrait.submitted_at DESC LIMIT :most::integer
    )
) AS near
JOIN request ON request.request_id = near.request_id
JOIN customer ON customer.customer_id = near.customer_id;

-- name: delete_old_portraits
-- Forgets portraits that nothing new can be a duplicate of any more, few at a time.
DELETE FROM request_portrait
WHERE request_id IN (SELECT request_id FROM request_portrait WHERE submitted_at < :before LIMIT :count::integer);

-- name: list_quarantine
-- Requests with doubts that nobody judged, in the order in which they were recorded, from after the one seen last; with
-- the entries that say what is doubted, and the likely duplicates that the caller sees: their references by their ids.
SELECT request.request_id, reference, channel, kind, ended_as, pause_reasons, stage, team, handler, submitted_at,
    version, doubts,
    (
        SELECT json_agg(data ORDER BY sequence)::text FROM request_event
        WHERE request_event.request_id = request.request_id AND type = 'doubted'
    ) AS doubted,
    (
        SELECT coalesce(json_object_agg(other.request_id, other.reference), '{}')::text
        FROM request_event, json_array_elements_text(data -> 'duplicates') AS named, request AS other
        WHERE request_event.request_id = request.request_id AND type = 'doubted' AND other.request_id = named::uuid
            AND (:seen_channel::text IS NULL OR other.channel = :seen_channel)
            AND (:teams::text[] IS NULL OR other.team IS NULL OR other.team = ANY(:teams))
    ) AS duplicates
FROM request
WHERE doubts <> '{}' AND request_id > :after
    AND (:seen_channel::text IS NULL OR channel = :seen_channel)
    AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams))
    AND (:channel::text IS NULL OR channel = :channel) AND (:kind::text IS NULL OR kind = :kind)
    AND (:rule::text IS NULL OR :rule = ANY(doubts))
ORDER BY request_id LIMIT :count::integer;

-- name: count_doubts
-- How many requests are in quarantine, and how many with each finding. To a channel a likely duplicate counts only where
-- one of the requests meant is its own.
SELECT rule, count(DISTINCT request_id) AS requests
FROM request CROSS JOIN LATERAL unnest(doubts) AS rule
WHERE doubts <> '{}' AND (:channel::text IS NULL OR channel = :channel)
    AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams))
    AND (:channel::text IS NULL OR rule <> :likely_duplicate OR EXISTS (
        SELECT FROM request_event, json_array_elements_text(data -> 'duplicates') AS named, request AS other
        WHERE request_event.request_id = request.request_id AND type = 'doubted' AND other.request_id = named::uuid
            AND other.channel = :channel
    ))
GROUP BY GROUPING SETS ((rule), ());

-- name: find_seen_others
-- Of the requests that the history of one names, those that the caller sees; likely duplicates and related ones apart.
SELECT named.other_id, named.is_duplicate
FROM (
    SELECT duplicate::uuid AS other_id, true AS is_duplicate
    FROM request_event, json_array_elements_text(data -> 'duplicates') AS duplicate
    WHERE request_id = :request_id AND type = 'doubted'
    UNION ALL
    SELECT other_id, false FROM request_link WHERE request_id = :request_id
) AS named JOIN request ON request.request_id = named.other_id
WHERE (:channel::text IS NULL OR channel = :channel)
    AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams));

-- name: count_records
-- The records of a span by what people said of their data.
SELECT channel, kind, count(*) AS taken_in,
    count(*) FILTER (WHERE confirmed <> '{}') AS confirmed,
    count(*) FILTER (WHERE confirmed = '{}' AND doubts = '{}' AND dismissed <> '{}') AS dismissed,
    count(*) FILTER (WHERE confirmed = '{}' AND doubts <> '{}') AS unjudged
FROM request WHERE submitted_at >= :since AND submitted_at < :until
GROUP BY channel, kind;

-- name: add_values
-- Adds to how often values fell into ranges. Everybody adds in one order, against deadlocks.
INSERT INTO value_past AS old (attribute, grouped, range, count)
SELECT attribute, grouped, range, count
FROM unnest(:attributes::text[], :grouped::text[], :ranges::integer[], :counts::bigint[])
    AS news (attribute, grouped, range, count)
ORDER BY attribute, grouped, range
ON CONFLICT (attribute, grouped, range) DO UPDATE SET count = old.count + excluded.count;

-- name: select_values
-- The whole past of watched numbers.
SELECT attribute, grouped, array_agg(range) AS ranges, array_agg(count) AS counts
FROM value_past GROUP BY attribute, grouped;

-- name: add_hours
-- Adds to the requests of some hours. Everybody adds in one order, against deadlocks.
INSERT INTO stream_hour AS old (channel, hour, accepted, refused, is_whole)
SELECT channel, hour, accepted, refused, false
FROM unnest(:channels::text[], :hours::integer[], :accepted::integer[], :refused::integer[])
    AS news (channel, hour, accepted, refused)
ORDER BY channel, hour
ON CONFLICT (channel, hour) DO UPDATE SET
    accepted = old.accepted + excluded.accepted, refused = old.refused + excluded.refused;

-- name: lock_streams
-- Keeps other processes from judging the streams until the transaction ends; false if one does so right now.
SELECT pg_try_advisory_xact_lock(hashtext('punctual.intake.stream_watch'));

-- name: select_streams
-- Every hour that is remembered of every channel, and its watch.
SELECT channel, array_agg(hour) AS hours, array_agg(accepted) AS accepted, array_agg(refused) AS refused,
    array_agg(is_whole) AS are_whole, watched_from, watched_at, alarms
FROM stream_hour LEFT JOIN stream_watch USING (channel)
GROUP BY channel, watched_from, watched_at, alarms
ORDER BY channel;

-- name: mark_whole
-- Says of some hours that they were watched as a whole.
INSERT INTO stream_hour (channel, hour, accepted, refused, is_whole)
SELECT channel, hour, 0, 0, true FROM unnest(:channels::text[], :hours::integer[]) AS news (channel, hour)
ORDER BY channel, hour
ON CONFLICT (channel, hour) DO UPDATE SET is_whole = true;

-- name: store_watches
-- Keeps how long each channel is watched and what its alarms are.
INSERT INTO stream_watch (channel, watched_from, watched_at, alarms)
SELECT channel, watched_from, watched_at, alarms::jsonb
FROM unnest(:channels::text[], :watched_froms::timestamptz[], :watched_ats::timestamptz[], :alarms::text[])
    AS news (channel, watched_from, watched_at, alarms)
ON CONFLICT (channel) DO UPDATE SET
    watched_from = excluded.watched_from, watched_at = excluded.watched_at, alarms = excluded.alarms;

-- name: delete_old_hours
-- Forgets hours that nothing is compared with any more.
DELETE FROM stream_hour WHERE hour < :before::integer;

-- name: keep_heard
-- Keeps what others told about requests; what is known stays as it is.
INSERT INTO heard_event (request_id, source, sequence, type, occurred_at, recorded_at, data)
SELECT * FROM unnest(
    :request_ids::uuid[], :sources::text[], :sequences::bigint[], :types::text[], :occurred_ats::timestamptz[],
    :recorded_ats::timestamptz[], :data::json[]
)
ON CONFLICT DO NOTHING;

-- name: find_request_id
-- The id of a reference, if the caller sees it.
SELECT request_id FROM request
WHERE reference = :reference AND (:channel::text IS NULL OR channel = :channel)
    AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams));

-- name: read_timeline
-- What happened to a request, our own history and what we heard, in one order. As much is read as one request has.
-- Nothing is placed before what its source told earlier; what is said to happen later than recorded has happened then.
SELECT placed_at, source, sequence, type, occurred_at, recorded_at, data::text, caller, cause
FROM (
    SELECT *, max(least(occurred_at, recorded_at)) OVER (PARTITION BY source ORDER BY sequence) AS placed_at
    FROM (
        SELECT occurred_at, :own::text AS source, sequence::bigint, 'punctual.request.' || type AS type, recorded_at, data,
            caller, cause
        FROM request_event WHERE request_id = :request_id
        UNION ALL
        SELECT occurred_at, source, sequence, regexp_replace(type, '[.]v[0-9]+$', ''), recorded_at, data, NULL, NULL
        FROM heard_event WHERE request_id = :request_id
    ) AS everything
) AS placed
WHERE (:source::text IS NULL OR source = :source)
    AND (:of_quality::text[] IS NULL OR source <> :quality OR type = ANY(:of_quality))
    AND (:at::timestamptz IS NULL
        OR (placed_at, source COLLATE "C", sequence) > (:at, :after_source::text, :after_sequence::bigint))
ORDER BY placed_at, source COLLATE "C", sequence
LIMIT :count::integer;

-- name: newest_transaction
-- Below this every transaction has ended.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

-- name: read_changes
-- Entries of the histories in the order of their transactions, only of those below which nothing can appear any more, with
-- the request as it is now, and the team and stage before and after the entry. Where they are not those of now they follow
-- from the history; of the last entry that is no move they are.
SELECT entry.transaction_id::text::bigint AS transaction_id, entry.sequence, entry.type, entry.recorded_at,
    request.request_id, reference, kind, channel, request.version, stage, team, ended_as, pause_reasons,
    CASE WHEN past.is_read THEN past.team_before ELSE team END AS team_before,
    CASE WHEN past.is_read THEN past.stage_before ELSE stage END AS stage_before,
    CASE WHEN past.is_read THEN past.team_after ELSE team END AS team_after,
    CASE WHEN past.is_read THEN past.stage_after ELSE stage END AS stage_after
FROM (
    SELECT transaction_id, request_id, sequence, type, recorded_at FROM request_event
    WHERE (transaction_id, request_id, sequence) > (:transaction_id::bigint::text::xid8, :request_id, :sequence::integer)
        AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY transaction_id, request_id, sequence LIMIT :count::integer
) AS entry JOIN request USING (request_id)
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS is_read,
        (array_agg(data ->> 'team' ORDER BY sequence DESC) FILTER (WHERE names_team AND is_before))[1] AS team_before,
        (array_agg(data ->> 'stage' ORDER BY sequence DESC) FILTER (WHERE NOT names_team AND is_before))[1]
            AS stage_before,
        (array_agg(data ->> 'team' ORDER BY sequence DESC) FILTER (WHERE names_team))[1] AS team_after,
        (array_agg(data ->> 'stage' ORDER BY sequence DESC) FILTER (WHERE NOT names_team))[1] AS stage_after
    FROM (
        SELECT told.sequence, told.data, told.type = 'assigned' AS names_team,
            told.sequence < greatest(entry.sequence, 2) AS is_before
        FROM request_event AS told
        WHERE told.request_id = entry.request_id AND told.sequence <= entry.sequence
            AND (told.type = ANY(:stage_types::text[]) OR told.type = 'assigned' AND told.data -> 'team' IS NOT NULL)
            AND (entry.sequence < request.version OR entry.type = 'assigned' OR entry.type = ANY(:stage_types::text[]))
    ) AS moves
) AS past
ORDER BY entry.transaction_id, entry.request_id, entry.sequence;
