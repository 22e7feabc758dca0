-- name: load_requests
-- Reads what is kept of requests beside their histories. Nobody else writes them: the caller holds their partitions.
SELECT request_id, reference, facts, policy_version, partition, correlation_id, traceparent, stage, team, last_heard
FROM tracked_request WHERE request_id = ANY(:request_ids::uuid[]);

-- name: load_histories
-- Reads histories in the order in which they were said, intake's entries first.
SELECT request_id, origin, sequence, happening, value, details, occurred_at, recorded_at
FROM request_event WHERE request_id = ANY(:request_ids::uuid[]) ORDER BY request_id, origin DESC, sequence;

-- name: load_clocks
-- Reads clocks as they were last read.
SELECT clock_id, request_id, objective, cycle, partition, generation, said, policy, policy_version, mode, party, state,
    started_at, due_at, ended_at, is_paused, held, next_at, next_rung, cause, read_at
FROM clock WHERE request_id = ANY(:request_ids::uuid[]) ORDER BY request_id, objective, cycle;

-- name: insert_requests
-- Starts to track requests.
INSERT INTO tracked_request
    (request_id, reference, facts, policy_version, partition, correlation_id, traceparent, stage, team, last_heard)
SELECT * FROM unnest(:request_ids::uuid[], :references::text[], :facts::jsonb[], :policy_versions::integer[],
    :partitions::integer[], :correlation_ids::text[], :traceparents::text[], :stages::text[], :teams::text[],
    :last_heard::bigint[]);

-- name: update_requests
-- Keeps where requests are, and the partition they are heard on.
UPDATE tracked_request AS t SET partition = n.partition, stage = n.stage, team = n.team
FROM unnest(:request_ids::uuid[], :partitions::integer[], :stages::text[], :teams::text[])
    AS n (request_id, partition, stage, team)
WHERE t.request_id = n.request_id;

-- name: remember_heard
-- Keeps how far requests were heard where their histories do not tell it.
UPDATE tracked_request AS t SET last_heard = n.last_heard
FROM unnest(:request_ids::uuid[], :last_heard::bigint[]) AS n (request_id, last_heard)
WHERE t.request_id = n.request_id;

-- name: insert_request_events
-- Appends to histories.
INSERT INTO request_event (request_id, origin, sequence, happening, value, details, occurred_at, recorded_at)
SELECT * FROM unnest(:request_ids::uuid[], :origins::text[], :sequences::bigint[], :happenings::text[],
    :values::text[], :details::jsonb[], :occurred_ats::timestamptz[], :recorded_ats::timestamptz[]);

-- name: insert_clocks
-- Stores clocks that begin.
INSERT INTO clock (clock_id, request_id, objective, cycle, partition, generation, said, policy, policy_version, mode, party, state,
    started_at, due_at, ended_at, is_paused, held, next_at, next_rung, cause, read_at)
SELECT * FROM unnest(:clock_ids::uuid[], :request_ids::uuid[], :objectives::text[], :cycles::integer[],
    :partitions::integer[], :generations::integer[], :said::bigint[], :policies::text[], :policy_versions::integer[],
    :modes::text[], :parties::text[], :states::text[], :started_ats::timestamptz[], :due_ats::timestamptz[],
    :ended_ats::timestamptz[], :are_paused::boolean[], :held::text[], :next_ats::timestamptz[], :next_rungs::text[],
    :causes::text[], :read_ats::timestamptz[]);

-- name: update_clocks
-- Stores clocks as read now.
UPDATE clock AS c SET
    partition = n.partition, generation = n.generation, said = n.said, policy = n.policy,
    policy_version = n.policy_version, mode = n.mode, party = n.party, state = n.state, started_at = n.started_at,
    due_at = n.due_at, ended_at = n.ended_at, is_paused = n.is_paused, held = n.held, next_at = n.next_at,
    next_rung = n.next_rung, cause = n.cause, read_at = n.read_at
FROM unnest(:request_ids::uuid[], :objectives::text[], :cycles::integer[], :partitions::integer[],
    :generations::integer[], :said::bigint[], :policies::text[], :policy_versions::integer[], :modes::text[],
    :parties::text[], :states::text[], :started_ats::timestamptz[], :due_ats::timestamptz[], :ended_ats::timestamptz[],
    :are_paused::boolean[], :held::text[], :next_ats::timestamptz[], :next_rungs::text[], :causes::text[],
    :read_ats::timestamptz[])
    AS n (request_id, objective, cycle, partition, generation, said, policy, policy_version, mode, party, state,
    started_at, due_at, ended_at, is_paused, held, next_at, next_rung, cause, read_at)
WHERE c.request_id = n.request_id AND c.objective = n.objective AND c.cycle = n.cycle;

-- name: count_clocks
-- Keeps the number of clocks by partition, objective and state; the caller holds the partitions.
INSERT INTO clock_count AS c (partition, objective, state, clocks)
SELECT * FROM unnest(:partitions::integer[], :objectives::text[], :states::text[], :more::bigint[])
ON CONFLICT (partition, objective, state) DO UPDATE SET clocks = c.clocks + excluded.clocks;

-- name: withdraw_decisions
-- Marks standing decisions that late news proved wrong.
UPDATE decision AS d SET withdrawn_at = :withdrawn_at
FROM unnest(:clock_ids::uuid[], :cycles::integer[], :kinds::text[], :levels::integer[]) AS n (clock_id, cycle, kind, level)
WHERE d.clock_id = n.clock_id AND d.cycle = n.cycle AND d.kind = n.kind AND d.level = n.level AND d.withdrawn_at IS NULL;

-- name: insert_decisions
-- Records decisions; the unique index refuses a second standing one of the same rung.
INSERT INTO decision (clock_id, cycle, kind, level, true_at, recorded_at, lateness_ms, withdrawn_at)
SELECT * FROM unnest(:clock_ids::uuid[], :cycles::integer[], :kinds::text[], :levels::integer[],
    :true_ats::timestamptz[], :recorded_ats::timestamptz[], :lateness_ms::float8[], :withdrawn_ats::timestamptz[]);

-- name: load_timers
-- Reads a partition's timers between two instants, earliest first.
SELECT request_id, objective, cycle, generation, next_rung, next_at
FROM clock WHERE partition = :partition AND next_at > coalesce(:since::timestamptz, '-infinity') AND next_at <= :until
ORDER BY next_at LIMIT :count;

-- name: measure_overdue
-- Counts a process's timers that should have fired, as far as it is worth counting, and tells the oldest.
SELECT count(*) AS timers, min(next_at) AS oldest_at FROM (
    SELECT next_at FROM clock WHERE partition = ANY(:partitions::integer[]) AND next_at <= :now LIMIT 100000
) AS overdue;

-- name: count_open_clocks
-- Tells the number of open clocks of a process's partitions.
SELECT objective, state, sum(clocks)::bigint AS clocks
FROM clock_count
WHERE state IN ('running', 'paused', 'breached') AND partition = ANY(:partitions::integer[]) GROUP BY objective, state;

-- name: lock_policy_versions
-- Lets one process at a time add a version, until its transaction ends.
SELECT pg_advisory_xact_lock(hashtext('sla_timer.policy_version'));

-- name: newest_policy_version
-- Reads the number of the version in force; null before the first.
SELECT max(version) FROM policy_version;

-- name: policy_version
-- Reads one version.
SELECT version, digest, policies, calendars, origin, author, reason, loaded_at FROM policy_version WHERE version = :version;

-- name: newest_file_digest
-- Reads the digest of the last version that came from the files.
SELECT digest FROM policy_version WHERE origin = 'file' ORDER BY version DESC LIMIT 1;

-- name: insert_policy_version
-- Adds a version, which is in force from then on.
INSERT INTO policy_version (version, digest, policies, calendars, origin, author, reason, loaded_at)
VALUES (:version, :digest, :policies, :calendars, :origin, :author, :reason, :loaded_at);

-- name: policy_versions
-- Lists versions without their texts, the newest first.
SELECT version, digest, origin, author, reason, loaded_at FROM policy_version
WHERE version < coalesce(:before::integer, 2147483647) ORDER BY version DESC LIMIT :count;

-- name: find_request
-- Finds a request by its id or its reference, among those a channel or the people of some teams may see.
SELECT request_id, reference FROM tracked_request
WHERE (request_id = :request_id OR reference = :reference)
    AND (:channel::text IS NULL OR facts->>'channel' = :channel)
    AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams));

-- name: decisions_of_clocks
-- Reads the decisions made on clocks, in the order they became true.
SELECT clock_id, cycle, kind, level, true_at, recorded_at, lateness_ms, withdrawn_at
FROM decision WHERE clock_id = ANY(:clock_ids::uuid[]) ORDER BY true_at, decision_id;

-- name: clocks_due_next
-- Reads the open clocks that are due next, after a place in that order, among those a channel or the people of
-- some teams may see.
SELECT c.clock_id, c.request_id, c.objective, c.cycle, c.generation, c.said, c.policy, c.policy_version, c.mode, c.party,
    c.state, c.started_at, c.due_at, c.ended_at, c.is_paused, c.held, c.next_at, c.next_rung, c.cause, c.read_at,
    t.reference, t.stage, t.team, t.facts
FROM clock AS c JOIN tracked_request AS t USING (request_id)
WHERE c.ended_at IS NULL AND c.due_at IS NOT NULL
    AND c.due_at < coalesce(:due_before::timestamptz, 'infinity')
    AND (c.due_at, c.clock_id) > (coalesce(:after_at::timestamptz, '-infinity'), coalesce(:after_id::uuid, '00000000-0000-0000-0000-000000000000'))
    AND (:channel::text IS NULL OR t.facts->>'channel' = :channel)
    AND (:teams::text[] IS NULL OR t.team IS NULL OR t.team = ANY(:teams))
    AND (:team::text IS NULL OR t.team = :team)
    AND (:stage::text IS NULL OR t.stage = :stage)
    AND (:state::text IS NULL OR c.state = :state)
    AND (:objective::text IS NULL OR c.objective = :objective)
    AND (:promises::text[] IS NULL OR c.policy_version || '/' || c.policy || '/' || c.objective = ANY(:promises::text[]))
ORDER BY c.due_at, c.clock_id LIMIT :count;

-- name: count_clocks_by_state
-- Tells the number of all clocks by state.
SELECT state, sum(clocks)::bigint AS clocks FROM clock_count GROUP BY state;

-- name: count_decisions_by_kind
-- Counts the standing decisions.
SELECT kind, count(*) AS decisions FROM decision WHERE withdrawn_at IS NULL GROUP BY kind;

-- name: timer_summary
-- Tells when the first timer is due.
SELECT min(first.next_at) AS next_timer_at
FROM (SELECT DISTINCT partition FROM clock_count) AS known,
    LATERAL (
        SELECT c.next_at FROM clock AS c WHERE c.partition = known.partition AND c.next_at IS NOT NULL
        ORDER BY c.next_at LIMIT 1
    ) AS first;

-- name: lateness_summary
-- Tells how late the last 10,000 decisions were, in real milliseconds.
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY lateness_ms) AS p50,
    percentile_disc(0.99) WITHIN GROUP (ORDER BY lateness_ms) AS p99
FROM (SELECT lateness_ms FROM decision ORDER BY decision_id DESC LIMIT 10000) AS recent;

-- name: lock_modes
-- Lets one process at a time declare modes, until its transaction ends.
SELECT pg_advisory_xact_lock(hashtext('sla_timer.mode_activation'));

-- name: enter_mode
-- Records an activation; nothing comes back when it was known.
INSERT INTO mode_activation (activation_id, mode, markets, reason, author, entered_at, until_at)
VALUES (:activation_id, :mode, :markets, :reason, :author, :entered_at, :until_at)
ON CONFLICT (activation_id) DO NOTHING RETURNING activation_id;

-- name: leave_mode
-- Ends an activation that is in force.
UPDATE mode_activation SET left_at = greatest(entered_at, :left_at), left_reason = :reason, left_by = :author
WHERE activation_id = :activation_id AND left_at IS NULL
RETURNING activation_id, mode, markets, reason, author, entered_at, until_at, left_at, left_reason, left_by;

-- name: load_modes
-- Reads activations in the order they were entered, without those that were over before an instant.
SELECT activation_id, mode, markets, reason, author, entered_at, until_at, left_at, left_reason, left_by
FROM mode_activation WHERE left_at IS NULL OR left_at >= coalesce(:since::timestamptz, '-infinity')
ORDER BY entered_at, activation_id;

-- name: order_policy_rollout
-- Orders that a version reaches running clocks.
INSERT INTO rollout (kind, policy_version, ordered_at, author) VALUES ('policy', :version, :ordered_at, :author)
RETURNING rollout_id;

-- name: order_mode_rollout
-- Orders that running clocks are told of a mode.
INSERT INTO rollout (kind, activation_id, ordered_at, author) VALUES ('mode', :activation_id, :ordered_at, :author)
RETURNING rollout_id;

-- name: open_rollouts
-- Reads what is still to be done in a process's partitions.
SELECT r.rollout_id, r.policy_version, r.ordered_at, r.author, p.partition, g.reached
FROM rollout AS r CROSS JOIN unnest(:partitions::integer[]) AS p (partition)
LEFT JOIN rollout_progress AS g ON g.rollout_id = r.rollout_id AND g.partition = p.partition
WHERE r.done_at IS NULL AND g.is_done IS NOT TRUE
ORDER BY r.rollout_id, p.partition;

-- name: running_requests
-- Reads the next requests of a partition that are not over.
SELECT request_id FROM running_request
WHERE partition = :partition AND request_id > coalesce(:reached::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY request_id LIMIT :count;

-- name: record_progress
-- Remembers how far a rollout has come in a partition.
INSERT INTO rollout_progress AS g (rollout_id, partition, reached, requests, is_done)
VALUES (:rollout_id, :partition, :reached, :requests, :is_done)
ON CONFLICT (rollout_id, partition) DO UPDATE SET
    reached = coalesce(excluded.reached, g.reached), requests = g.requests + excluded.requests,
    is_done = excluded.is_done;

-- name: close_rollouts
-- Marks what every partition that was ever heard has done.
UPDATE rollout AS r SET done_at = :now
WHERE r.done_at IS NULL AND NOT EXISTS (
    SELECT FROM inbox_position AS i
    WHERE i.topic = :topic AND NOT EXISTS (
        SELECT FROM rollout_progress AS g
        WHERE g.rollout_id = r.rollout_id AND g.partition = i.partition AND g.is_done));

-- name: list_rollouts
-- Reads the latest rollouts with how many requests they have told.
SELECT r.rollout_id, r.kind, r.policy_version, r.ordered_at, r.author, r.done_at,
    coalesce((SELECT sum(g.requests) FROM rollout_progress AS g WHERE g.rollout_id = r.rollout_id), 0)::bigint AS requests
FROM rollout AS r ORDER BY r.rollout_id DESC LIMIT :count;

-- name: hold_still
-- Lets the rest of the transaction see one state of all tables.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: count_running_requests
-- Counts requests that are not over.
SELECT count(*) FROM running_request;

-- name: walk_running_requests
-- Reads requests that are not over, and whether other facts or rules came to hold for them.
SELECT t.request_id, t.reference, t.team, t.facts, t.policy_version,
    EXISTS (
        SELECT FROM request_event AS e
        WHERE e.request_id = t.request_id AND e.happening IN ('changed', 'policy_applied')
    ) AS has_other_terms
FROM running_request AS t
ORDER BY t.request_id;

-- name: count_submitted_requests
-- Counts requests that were submitted in a span; what was recorded before it did not occur in it.
SELECT count(*) FROM request_event AS s
WHERE s.happening = 'submitted' AND s.occurred_at >= :since AND s.occurred_at < :until AND s.recorded_at >= :since;

-- name: walk_submitted_requests
-- Reads requests that were submitted in a span, and whether other facts or rules came to hold for them.
SELECT t.request_id, t.reference, t.team, t.facts, t.policy_version,
    EXISTS (
        SELECT FROM request_event AS e
        WHERE e.request_id = t.request_id AND e.happening IN ('changed', 'policy_applied')
    ) AS has_other_terms
FROM request_event AS s JOIN tracked_request AS t USING (request_id)
WHERE s.happening = 'submitted' AND s.occurred_at >= :since AND s.occurred_at < :until AND s.recorded_at >= :since
ORDER BY t.request_id;

-- name: count_requests
-- Counts all requests.
SELECT count(*) FROM tracked_request;

-- name: walk_request_ids
-- Reads the ids of all requests in their order.
SELECT request_id FROM tracked_request ORDER BY request_id;

-- name: load_endings
-- Reads what became of clocks.
SELECT request_id, objective, state, due_at, ended_at FROM clock WHERE request_id = ANY(:request_ids::uuid[]);

-- name: load_standing_decisions
-- Reads the decisions that were not withdrawn.
SELECT clock_id, cycle, kind || ':' || level AS rung FROM decision
WHERE clock_id = ANY(:clock_ids::uuid[]) AND withdrawn_at IS NULL;

-- name: find_wrong_counts
-- Finds the numbers of clocks that are not those of the rows.
SELECT partition, objective, state, coalesce(k.clocks, 0) AS kept, coalesce(c.clocks, 0) AS counted
FROM clock_count AS k FULL JOIN (
    SELECT partition, objective, state, count(*) AS clocks FROM clock GROUP BY partition, objective, state
) AS c USING (partition, objective, state)
WHERE coalesce(k.clocks, 0) <> coalesce(c.clocks, 0) ORDER BY partition, objective, state;

-- name: take_time
-- Lets the transaction wait for its own program longer than one that holds locks may.
SET LOCAL idle_in_transaction_session_timeout = '10min';
