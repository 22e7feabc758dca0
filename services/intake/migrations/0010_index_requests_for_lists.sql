-- A list of requests walks one index in its order (services/intake/store/listing). What is looked for by one value has an
-- index of its own; kinds, markets and priorities are few and common, so they are looked at on the way.
-- External ids are in the order of their bytes, so that those with one beginning stand together.
DROP INDEX request_of_channel;  -- its id went the other way, so it served one order only
CREATE INDEX request_of_channel ON request (channel, request_id);
CREATE INDEX request_of_customer ON request (customer_id, request_id);
CREATE INDEX request_by_external_id ON request (external_id COLLATE "C", request_id) WHERE external_id IS NOT NULL;
CREATE INDEX request_of_handler ON request (handler, request_id) WHERE handler IS NOT NULL;
CREATE INDEX request_of_team ON request (team, request_id) WHERE team IS NOT NULL;
CREATE INDEX request_in_stage ON request (stage, request_id);
CREATE INDEX request_of_process ON request (process, request_id);
CREATE INDEX request_of_product_line ON request (product_line, request_id) WHERE product_line IS NOT NULL;
CREATE INDEX request_ended_as ON request (ended_as, request_id) WHERE ended_as IS NOT NULL;
CREATE INDEX request_submitted ON request (submitted_at, request_id);

-- What is not over is little beside what is, and it is what people work with.
CREATE INDEX request_not_over ON request (request_id) WHERE ended_as IS NULL;
CREATE INDEX request_not_over_of_handler ON request (handler, request_id) WHERE ended_as IS NULL AND handler IS NOT NULL;
CREATE INDEX request_not_over_of_team ON request (team, request_id) WHERE ended_as IS NULL AND team IS NOT NULL;
CREATE INDEX request_not_over_in_stage ON request (stage, request_id) WHERE ended_as IS NULL;
CREATE INDEX request_paused ON request (request_id) WHERE pause_reasons <> '{}';

-- A clock that stands has no deadline, one that was stopped is not due any more.
CREATE INDEX deadline_due ON deadline (objective, due_at, request_id) WHERE state IN ('running', 'breached');

-- What changed since an instant. The history is only appended to, so this grows at its end alone.
CREATE INDEX request_event_recorded ON request_event (recorded_at, request_id, sequence);
