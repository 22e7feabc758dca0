-- How many requests there are, without reading them. Every statement that writes requests notes in its transaction by how
-- much it changes the counts, in rows of its own: nobody waits for a counter that others change too. The service adds the
-- notes up from time to time. The truth at any instant is the sum of both tables.
CREATE TABLE request_count (
    kind text NOT NULL,
    state text NOT NULL,
    channel text NOT NULL,
    total bigint NOT NULL,
    PRIMARY KEY (channel, kind, state)
) WITH (fillfactor = 50);
COMMENT ON COLUMN request_count.state IS 'open, paused, closed, cancelled or merged.';

CREATE TABLE request_count_note (
    kind text NOT NULL,
    state text NOT NULL,
    channel text NOT NULL,
    change bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

CREATE FUNCTION state_of(ended_as text, pause_reasons text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(ended_as, CASE WHEN pause_reasons = '{}' THEN 'open' ELSE 'paused' END);

-- Triggers, because two edges write requests and a third would be forgotten. Once per statement, whatever it writes.
CREATE FUNCTION note_new_requests() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO request_count_note (kind, state, channel, change)
    SELECT kind, state_of(ended_as, pause_reasons), channel, count(*) FROM news GROUP BY 1, 2, 3;
    RETURN NULL;
END $$;
CREATE TRIGGER note_new_requests AFTER INSERT ON request REFERENCING NEW TABLE AS news
FOR EACH STATEMENT EXECUTE FUNCTION note_new_requests();

CREATE FUNCTION note_changed_requests() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO request_count_note (kind, state, channel, change)
    SELECT kind, state_of(ended_as, pause_reasons), channel, sum(change)
    FROM (
        SELECT kind, ended_as, pause_reasons, channel, 1 AS change FROM news
        UNION ALL
        SELECT kind, ended_as, pause_reasons, channel, -1 FROM olds
    ) AS both_sides
    GROUP BY 1, 2, 3 HAVING sum(change) <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER note_changed_requests AFTER UPDATE ON request REFERENCING NEW TABLE AS news OLD TABLE AS olds
FOR EACH STATEMENT EXECUTE FUNCTION note_changed_requests();

-- The triggers keep writers out until the end of this transaction, so these are all.
INSERT INTO request_count (kind, state, channel, total)
SELECT kind, state_of(ended_as, pause_reasons), channel, count(*) FROM request GROUP BY 1, 2, 3;

GRANT SELECT, INSERT, UPDATE ON request_count TO {role};
GRANT SELECT, INSERT, DELETE ON request_count_note TO {role};
