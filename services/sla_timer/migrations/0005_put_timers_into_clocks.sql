-- A clock's row says all that is kept of it: what held, the one rung that comes next, and the number of the last event.
-- Fewer rows for each event than a table of timers, and nothing to keep in step.

ALTER TABLE clock
    ADD COLUMN said bigint NOT NULL DEFAULT 0 CHECK (said >= 0),
    ADD COLUMN policy text,
    ADD COLUMN policy_version integer,
    ADD COLUMN mode text NOT NULL DEFAULT 'normal' CHECK (mode IN ('normal', 'peak', 'emergency')),
    ADD COLUMN party text NOT NULL DEFAULT 'customer' CHECK (party IN ('customer', 'internal', 'supplier')),
    ADD COLUMN held text NOT NULL DEFAULT '',
    ADD COLUMN next_at timestamptz,
    ADD COLUMN next_rung text,
    ADD COLUMN cause text;

UPDATE clock AS c SET said = t.said, policy = t.policy, policy_version = t.policy_version
FROM tracked_request AS t WHERE t.request_id = c.request_id;
UPDATE clock AS c SET held = d.held
FROM (
    SELECT clock_id, cycle, string_agg(kind || ':' || level, ' ' ORDER BY kind, level) AS held
    FROM decision WHERE withdrawn_at IS NULL GROUP BY clock_id, cycle
) AS d
WHERE d.clock_id = c.clock_id AND d.cycle = c.cycle;
UPDATE clock AS c SET next_at = n.due_at, next_rung = n.rung
FROM (
    SELECT DISTINCT ON (clock_id, cycle) clock_id, cycle, due_at, kind || ':' || level AS rung
    FROM timer ORDER BY clock_id, cycle, due_at
) AS n
WHERE n.clock_id = c.clock_id AND n.cycle = c.cycle;
UPDATE clock AS c SET cause = e.value
FROM request_event AS e WHERE e.request_id = c.request_id AND e.happening = 'closed' AND c.state = 'cancelled';

DROP INDEX clock_open;
ALTER TABLE clock
    ALTER COLUMN policy SET NOT NULL,
    ALTER COLUMN policy_version SET NOT NULL,
    DROP COLUMN rung_ats,
    DROP CONSTRAINT clock_pkey,
    DROP CONSTRAINT clock_request_id_objective_cycle_key,
    ADD PRIMARY KEY (request_id, objective, cycle),
    ADD CHECK ((next_at IS NULL) = (next_rung IS NULL)),
    ADD CHECK (next_at IS NULL OR (ended_at IS NULL AND next_at > read_at)),
    ADD CHECK ((cause IS NOT NULL) = (state = 'cancelled'));
ALTER TABLE clock SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0);
COMMENT ON COLUMN clock.held IS 'The rungs that came true, as kind:level, in one order.';
COMMENT ON COLUMN clock.next_at IS 'When the next rung comes: the clock''s timer. Null while nothing is known to come.';
COMMENT ON COLUMN clock.said IS 'Sequence of the last event told about it; the greatest of a request''s clocks is the request''s.';
CREATE INDEX clock_next ON clock (partition, next_at) WHERE next_at IS NOT NULL;
DROP TABLE timer;
ALTER TABLE tracked_request DROP COLUMN said, DROP COLUMN policy;

ALTER TABLE decision DROP CONSTRAINT decision_kind_check,
    ADD CHECK (kind IN ('warning', 'breach', 'escalation', 'pause_alarm'));

-- Kept by the transactions that change clocks, because counting millions of rows every few seconds would cost more.
CREATE TABLE clock_count (
    partition integer NOT NULL,
    objective text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'paused', 'breached', 'met', 'missed', 'cancelled')),
    clocks bigint NOT NULL,
    PRIMARY KEY (partition, objective, state)
) WITH (fillfactor = 50);
INSERT INTO clock_count SELECT partition, objective, state, count(*) FROM clock GROUP BY partition, objective, state;

GRANT SELECT, INSERT, UPDATE ON clock_count TO {role};
-- What was read of intake is told by the histories from now on.
DELETE FROM inbox_sequence WHERE source = '/punctual/intake';
