-- name: lock_requests
-- Locks the requests of a batch, in one order everywhere, and reads what is kept beside their histories.
SELECT request_id, reference, facts, policy, policy_version, partition, said, correlation_id, traceparent
FROM tracked_request WHERE request_id = ANY(:request_ids::uuid[]) ORDER BY request_id FOR UPDATE;

-- name: load_histories
-- Reads the histories of a batch in the order in which they were said.
SELECT request_id, sequence, happening, value, occurred_at, recorded_at
FROM request_event WHERE request_id = ANY(:request_ids::uuid[]) ORDER BY request_id, sequence;

-- name: load_clocks
-- Reads the clocks of a batch as they were last read.
SELECT clock_id, cycle, request_id, objective, generation, state, started_at, due_at, ended_at, is_paused, rung_ats, read_at
FROM clock WHERE request_id = ANY(:request_ids::uuid[]) ORDER BY request_id, objective, cycle;

-- name: insert_requests
-- Starts to track requests; they are locked by being new.
INSERT INTO tracked_request
    (request_id, reference, facts, policy, policy_version, partition, said, correlation_id, traceparent)
SELECT * FROM unnest(:request_ids::uuid[], :references::text[], :facts::jsonb[], :policies::text[],
    :policy_versions::integer[], :partitions::integer[], :said::bigint[], :correlation_ids::text[], :traceparents::text[]);

-- name: update_requests
-- Keeps what was last said about requests, and the partition they are heard on.
UPDATE tracked_request AS t SET said = n.said, partition = n.partition
FROM unnest(:request_ids::uuid[], :said::bigint[], :partitions::integer[]) AS n (request_id, said, partition)
WHERE t.request_id = n.request_id;

-- name: insert_request_events
-- Appends to histories.
INSERT INTO request_event (request_id, sequence, happening, value, occurred_at, recorded_at)
SELECT * FROM unnest(:request_ids::uuid[], :sequences::bigint[], :happenings::text[], :values::text[],
    :occurred_ats::timestamptz[], :recorded_ats::timestamptz[]);

-- name: store_clocks
-- Stores clocks as read now. Arrays of instants come as literals, since unnest would flatten them.
INSERT INTO clock (clock_id, cycle, request_id, objective, partition, generation, state, started_at, due_at, ended_at,
    is_paused, rung_ats, read_at)
SELECT clock_id, cycle, request_id, objective, partition, generation, state, started_at, due_at, ended_at, is_paused,
    rung_ats::timestamptz[], read_at
FROM unnest(:clock_ids::uuid[], :cycles::integer[], :request_ids::uuid[], :objectives::text[], :partitions::integer[],
    :generations::integer[], :states::text[], :started_ats::timestamptz[], :due_ats::timestamptz[],
    :ended_ats::timestamptz[], :are_paused::boolean[], :rung_ats::text[], :read_ats::timestamptz[])
    AS n (clock_id, cycle, request_id, objective, partition, generation, state, started_at, due_at, ended_at, is_paused,
    rung_ats, read_at)
ON CONFLICT (clock_id, cycle) DO UPDATE SET
    partition = excluded.partition, generation = excluded.generation, state = excluded.state,
    due_at = excluded.due_at, ended_at = excluded.ended_at, is_paused = excluded.is_paused,
    rung_ats = excluded.rung_ats, read_at = excluded.read_at;

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

-- name: drop_timers
-- Removes all timers of clocks whose rungs moved or that ended.
DELETE FROM timer AS t USING unnest(:clock_ids::uuid[], :cycles::integer[]) AS n (clock_id, cycle)
WHERE t.clock_id = n.clock_id AND t.cycle = n.cycle;

-- name: drop_fired_timers
-- Removes the timers of rungs that were decided, and those that fired in vain.
DELETE FROM timer AS t
USING unnest(:clock_ids::uuid[], :cycles::integer[], :kinds::text[], :levels::integer[]) AS n (clock_id, cycle, kind, level)
WHERE t.clock_id = n.clock_id AND t.cycle = n.cycle AND t.kind = n.kind AND t.level = n.level;

-- name: insert_timers
-- Sets timers.
INSERT INTO timer (clock_id, cycle, kind, level, generation, request_id, partition, due_at)
SELECT * FROM unnest(:clock_ids::uuid[], :cycles::integer[], :kinds::text[], :levels::integer[],
    :generations::integer[], :request_ids::uuid[], :partitions::integer[], :due_ats::timestamptz[]);

-- name: load_timers
-- Reads a partition's timers between two instants, earliest first.
SELECT clock_id, cycle, kind, level, generation, request_id, due_at
FROM timer WHERE partition = :partition AND due_at > coalesce(:since::timestamptz, '-infinity') AND due_at <= :until
ORDER BY due_at LIMIT :count;

-- name: confirm_timers
-- Tells which timers still stand as they were set.
SELECT t.clock_id, t.cycle, t.kind, t.level
FROM unnest(:clock_ids::uuid[], :cycles::integer[], :kinds::text[], :levels::integer[], :generations::integer[])
    AS n (clock_id, cycle, kind, level, generation)
JOIN timer AS t USING (clock_id, cycle, kind, level, generation);

-- name: count_overdue
-- Counts a process's timers that should have fired, as far as it is worth counting.
SELECT count(*) FROM (
    SELECT FROM timer WHERE partition = ANY(:partitions::integer[]) AND due_at <= :now LIMIT 100000
) AS overdue;

-- name: count_open_clocks
-- Counts the open clocks of a process's partitions.
SELECT objective, state, count(*) AS clocks
FROM clock WHERE ended_at IS NULL AND partition = ANY(:partitions::integer[]) GROUP BY objective, state;

-- name: lock_policy_versions
-- Lets one process at a time add a version, until its transaction ends.
SELECT pg_advisory_xact_lock(hashtext('sla_timer.policy_version'));

-- name: newest_policy_version
-- Reads the number of the version in force; null before the first.
SELECT max(version) FROM policy_version;

-- name: policy_version
-- Reads one version.
SELECT version, digest, policies, calendars, origin, author, loaded_at FROM policy_version WHERE version = :version;

-- name: newest_file_digest
-- Reads the digest of the last version that came from the files.
SELECT digest FROM policy_version WHERE origin = 'file' ORDER BY version DESC LIMIT 1;

-- name: insert_policy_version
-- Adds a version, which is in force from then on.
INSERT INTO policy_version (version, digest, policies, calendars, origin, author, loaded_at)
VALUES (:version, :digest, :policies, :calendars, :origin, :author, :loaded_at);

-- name: find_request
-- Finds a request by its id or its reference, among those a channel may see.
SELECT request_id, reference, policy, policy_version, facts FROM tracked_request
WHERE (request_id = :request_id OR reference = :reference)
    AND (:channel::text IS NULL OR facts->>'channel' = :channel);

-- name: clocks_of_request
-- Reads a request's clocks, earliest deadline first.
SELECT clock_id, cycle, objective, state, started_at, due_at, ended_at, is_paused, rung_ats, read_at
FROM clock WHERE request_id = :request_id
ORDER BY cycle, due_at NULLS LAST, objective;

-- name: decisions_of_clocks
-- Reads the decisions made on clocks, in the order they became true.
SELECT clock_id, cycle, kind, level, true_at, recorded_at, lateness_ms, withdrawn_at
FROM decision WHERE clock_id = ANY(:clock_ids::uuid[]) ORDER BY true_at, decision_id;

-- name: clocks_due_next
-- Reads the open clocks that are due next, among those a channel may see.
SELECT c.clock_id, c.cycle, c.objective, c.state, c.started_at, c.due_at, c.ended_at, c.is_paused, c.rung_ats, c.read_at,
    t.request_id, t.reference, t.policy, t.policy_version, t.facts
FROM clock AS c JOIN tracked_request AS t USING (request_id)
WHERE c.ended_at IS NULL AND c.due_at IS NOT NULL AND c.due_at < coalesce(:due_before::timestamptz, 'infinity')
    AND (:channel::text IS NULL OR t.facts->>'channel' = :channel)
ORDER BY c.due_at, c.clock_id LIMIT :count;

-- name: count_clocks_by_state
-- Counts all clocks by state.
SELECT state, count(*) AS clocks FROM clock GROUP BY state;

-- name: count_decisions_by_kind
-- Counts the standing decisions.
SELECT kind, count(*) AS decisions FROM decision WHERE withdrawn_at IS NULL GROUP BY kind;

-- name: timer_summary
-- Tells how many timers there are and which comes first.
SELECT count(*) AS pending, min(due_at) AS oldest_due_at FROM timer;

-- name: lateness_summary
-- Tells how late the last 10,000 decisions were, in real milliseconds.
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY lateness_ms) AS p50,
    percentile_disc(0.99) WITHIN GROUP (ORDER BY lateness_ms) AS p99
FROM (SELECT lateness_ms FROM decision ORDER BY decision_id DESC LIMIT 10000) AS recent;
