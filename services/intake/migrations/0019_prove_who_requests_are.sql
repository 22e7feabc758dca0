-- The hash of a first entry covers who and what the request is, from now on (services/intake/domain/identity.py).
ALTER TABLE request
    ADD external_id_salt bytea CHECK (octet_length(external_id_salt) = 16),
    ADD external_id_hash bytea CHECK (octet_length(external_id_hash) = 32),
    ADD unchained integer NOT NULL DEFAULT 0 CHECK (unchained >= 0),
    ADD CONSTRAINT salted_with_external_id CHECK (external_id_salt IS NULL OR external_id IS NOT NULL);
COMMENT ON COLUMN request.external_id_salt IS 'Erased with the external id.';
COMMENT ON COLUMN request.external_id_hash IS
    'SHA-256 of salt and external id; stays when both are erased. NULL without one, and in requests older than this.';
COMMENT ON COLUMN request.unchained IS
    'How many entries of its history are older than the chain. Any other entry without a hash is a break.';
UPDATE request SET unchained = older.entries
FROM (SELECT request_id, count(*) AS entries FROM request_event WHERE hash IS NULL GROUP BY request_id) AS older
WHERE request.request_id = older.request_id;

-- What identifies a request never changes; what people wrote and the external id can only be erased or encrypted.
REVOKE UPDATE ON request FROM {role};
GRANT UPDATE (
    process, process_version, stage, product_line, priority, customer_tier, attributes, team, handler, pause_reasons,
    awaited, controls, has_left_stage, is_acknowledged, is_responded, ended_as, outcome, reason, closed_at, merged_into,
    cycle, score, doubts, confirmed, dismissed, head, version,
    description, encrypted_description, external_id, external_id_salt
) ON request TO {role};

-- What the proof of a request looks at beside it. Functions, for the reason of 0017.
CREATE FUNCTION links_of(uuid) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT json_agg(json_build_array(relation, other_id))::text FROM request_link WHERE request_id = $1);

CREATE FUNCTION written_of(uuid) RETURNS integer[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN ARRAY(SELECT DISTINCT sequence FROM request_text WHERE request_id = $1);

CREATE FUNCTION is_erased(uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT erased_at IS NOT NULL FROM customer WHERE customer_id = $1);
