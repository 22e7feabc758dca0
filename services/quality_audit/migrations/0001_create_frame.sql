-- What is known of each request, the frame of closed ones, and what became of every clock.

CREATE TABLE request (
    request_id uuid PRIMARY KEY,
    reference text NOT NULL,
    kind text NOT NULL,
    attributes jsonb NOT NULL,
    events_said bigint NOT NULL DEFAULT 0 CHECK (events_said >= 0)
);
COMMENT ON COLUMN request.events_said IS 'The last sequence this service gave to an event about the request; its row lock orders them.';

CREATE TABLE request_handler (
    request_id uuid NOT NULL,
    handler text NOT NULL,
    PRIMARY KEY (request_id, handler)
);
COMMENT ON TABLE request_handler IS 'Who worked on a request; nobody reviews a request he worked on.';

CREATE TABLE clock (
    clock_id uuid NOT NULL,
    cycle integer NOT NULL CHECK (cycle > 0),
    request_id uuid NOT NULL,
    objective text NOT NULL,
    fate text NOT NULL CHECK (fate IN ('running', 'met', 'missed', 'cancelled')),
    sealed_at timestamptz,
    PRIMARY KEY (clock_id, cycle),
    CHECK ((fate IN ('met', 'missed')) = (sealed_at IS NOT NULL))
);
CREATE INDEX clock_request ON clock (request_id);
CREATE INDEX clock_sealed ON clock (sealed_at) WHERE sealed_at IS NOT NULL;
COMMENT ON COLUMN clock.sealed_at IS 'A met clock: its stop; a missed one: its deadline. Decides the period it counts in.';

CREATE TABLE sampling_period (
    period text PRIMARY KEY CHECK (period ~ '^\d{4}Q[1-4]$'),
    plan_text text NOT NULL,
    plan_version integer NOT NULL CHECK (plan_version > 0),
    plan_digest text NOT NULL,
    secret_commitment text NOT NULL CHECK (secret_commitment ~ '^[0-9a-f]{64}$'),
    opened_at timestamptz NOT NULL
);
COMMENT ON TABLE sampling_period IS 'Written with the first closing of a period and never changed: what may not be tuned once cases are known.';

CREATE TABLE frame_unit (
    request_id uuid NOT NULL REFERENCES request,
    cycle integer NOT NULL CHECK (cycle > 0),
    period text NOT NULL REFERENCES sampling_period,
    kind text NOT NULL,
    outcome text NOT NULL,
    is_breached boolean,
    attributes jsonb NOT NULL,
    closed_at timestamptz NOT NULL,
    risk text NOT NULL,
    rate double precision NOT NULL CHECK (rate > 0 AND rate <= 1),
    ticket text COLLATE "C" NOT NULL CHECK (ticket ~ '^[0-9a-f]{16}$'),
    ticket_limit text COLLATE "C" CHECK (ticket_limit ~ '^[0-9a-f]{16}$'),
    is_sampled boolean NOT NULL,
    PRIMARY KEY (request_id, cycle),
    CHECK (is_sampled = (ticket_limit IS NULL OR ticket < ticket_limit)),
    CHECK ((ticket_limit IS NULL) = (rate = 1))
);
CREATE INDEX frame_unit_period ON frame_unit (period, request_id, cycle);
COMMENT ON TABLE frame_unit IS 'Every closed request once, with the facts that were frozen at its closing and the ticket that decided.';
COMMENT ON COLUMN frame_unit.is_breached IS 'Null: no clock of it had been heard of when it closed.';

GRANT SELECT, INSERT, UPDATE (events_said) ON request TO {role};
GRANT SELECT, INSERT, UPDATE ON clock TO {role};
GRANT SELECT, INSERT ON request_handler, sampling_period, frame_unit TO {role};
