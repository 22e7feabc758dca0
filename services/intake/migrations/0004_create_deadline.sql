-- What the clocks topic told. No reference to request: a restored topic may know requests that this schema does not.
CREATE TABLE deadline (
    clock_id uuid PRIMARY KEY,
    request_id uuid NOT NULL,
    objective text NOT NULL,
    cycle integer NOT NULL CHECK (cycle > 0),
    state text NOT NULL CHECK (state IN ('running', 'paused', 'breached', 'met', 'missed', 'cancelled')),
    due_at timestamptz,
    stopped_at timestamptz,
    is_warned boolean NOT NULL,
    escalation_level integer NOT NULL CHECK (escalation_level >= 0)
) WITH (fillfactor = 80);
CREATE INDEX deadline_of_request ON deadline (request_id);

GRANT SELECT, INSERT, UPDATE ON deadline TO {role};
