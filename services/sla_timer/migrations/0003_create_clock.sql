-- Clocks as last read, the decisions made on them, and the timers that wake us for the next ones.

CREATE TABLE clock (
    clock_id uuid NOT NULL,
    cycle integer NOT NULL CHECK (cycle > 0),
    request_id uuid NOT NULL,
    objective text NOT NULL,
    partition integer NOT NULL,
    generation integer NOT NULL CHECK (generation > 0),
    state text NOT NULL CHECK (state IN ('running', 'paused', 'breached', 'met', 'missed', 'cancelled')),
    started_at timestamptz NOT NULL,
    due_at timestamptz,
    ended_at timestamptz,
    is_paused boolean NOT NULL,
    rung_ats timestamptz[] NOT NULL,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (clock_id, cycle),
    UNIQUE (request_id, objective, cycle),
    CHECK ((state IN ('met', 'missed', 'cancelled')) = (ended_at IS NOT NULL)),
    CHECK (ended_at IS NULL OR (due_at IS NOT NULL AND NOT is_paused)),
    CHECK (state <> 'met' OR ended_at <= due_at),
    CHECK (state <> 'missed' OR ended_at > due_at),
    CHECK ((state = 'paused') = (is_paused AND (due_at IS NULL OR due_at > read_at)))
) WITH (fillfactor = 80);
COMMENT ON COLUMN clock.rung_ats IS 'When each rung of the policy''s ladder comes; null while a pause is in the way.';
CREATE INDEX clock_due ON clock (due_at, clock_id) WHERE ended_at IS NULL AND due_at IS NOT NULL;
CREATE INDEX clock_open ON clock (partition, objective, state) WHERE ended_at IS NULL;

CREATE TABLE decision (
    decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    clock_id uuid NOT NULL,
    cycle integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('warning', 'breach', 'escalation')),
    level integer NOT NULL CHECK (level > 0),
    true_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    lateness_ms double precision NOT NULL,
    withdrawn_at timestamptz,
    CHECK (recorded_at >= true_at)
);
COMMENT ON TABLE decision IS 'What was decided; late news can withdraw a decision but never removes it.';
COMMENT ON COLUMN decision.lateness_ms IS 'Real milliseconds between the instant it became true and the decision.';
-- The promise itself: whatever is delivered, repeated or restarted, a rung is decided once.
CREATE UNIQUE INDEX decision_once ON decision (clock_id, cycle, kind, level) WHERE withdrawn_at IS NULL;

CREATE TABLE timer (
    clock_id uuid NOT NULL,
    cycle integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('warning', 'breach', 'escalation')),
    level integer NOT NULL,
    generation integer NOT NULL,
    request_id uuid NOT NULL,
    partition integer NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (clock_id, cycle, kind, level)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE timer IS 'One row per rung to come. Dead rows gather where the next ones are looked for, hence the eager vacuum.';
CREATE INDEX timer_next ON timer (partition, due_at);

GRANT SELECT, INSERT, UPDATE ON clock TO {role};
GRANT SELECT, INSERT ON decision TO {role};
GRANT UPDATE (withdrawn_at) ON decision TO {role};
GRANT SELECT, INSERT, DELETE ON timer TO {role};
