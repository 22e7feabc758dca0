-- Modes of the house, and changes of rules or modes on their way to the clocks that run already.

ALTER TABLE policy_version ADD COLUMN reason text;
COMMENT ON COLUMN policy_version.reason IS 'Why it was put in force, in its author''s words.';

CREATE TABLE mode_activation (
    activation_id uuid PRIMARY KEY,
    mode text NOT NULL CHECK (mode IN ('peak', 'emergency')),
    markets text[] NOT NULL,
    reason text NOT NULL,
    author text NOT NULL,
    entered_at timestamptz NOT NULL,
    until_at timestamptz CHECK (until_at > entered_at),
    left_at timestamptz CHECK (left_at >= entered_at),
    left_reason text,
    left_by text,
    CHECK ((left_at IS NULL) = (left_by IS NULL))
);
COMMENT ON COLUMN mode_activation.markets IS 'Where it holds; empty: everywhere.';

CREATE TABLE rollout (
    rollout_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('policy', 'mode')),
    policy_version integer REFERENCES policy_version,
    activation_id uuid REFERENCES mode_activation,
    ordered_at timestamptz NOT NULL,
    author text NOT NULL,
    done_at timestamptz,
    CHECK ((kind = 'policy') = (policy_version IS NOT NULL)),
    CHECK ((kind = 'mode') = (activation_id IS NOT NULL))
);
COMMENT ON TABLE rollout IS 'A change that every open request has still to be told; each becomes an entry of its history.';
CREATE INDEX rollout_open ON rollout (rollout_id) WHERE done_at IS NULL;

CREATE TABLE rollout_progress (
    rollout_id integer NOT NULL REFERENCES rollout,
    partition integer NOT NULL,
    reached uuid,
    requests bigint NOT NULL DEFAULT 0,
    is_done boolean NOT NULL DEFAULT false,
    PRIMARY KEY (rollout_id, partition)
);
COMMENT ON COLUMN rollout_progress.reached IS 'The last request looked at, in the order of ids; where a new owner goes on.';

GRANT SELECT, INSERT ON mode_activation, rollout TO {role};
GRANT UPDATE (left_at, left_reason, left_by) ON mode_activation TO {role};
GRANT UPDATE (done_at) ON rollout TO {role};
GRANT SELECT, INSERT, UPDATE ON rollout_progress TO {role};
