-- The counts of the requests of some teams, without reading the requests. A request that no team has counts under '', since a
-- column of a primary key is never NULL.
LOCK TABLE request IN SHARE ROW EXCLUSIVE MODE;  -- writers stay out until the end of this transaction: what is counted is all
TRUNCATE request_count, request_count_note;
ALTER TABLE request_count
    ADD team text NOT NULL,
    DROP CONSTRAINT request_count_pkey,
    ADD PRIMARY KEY (channel, team, kind, state);
COMMENT ON COLUMN request_count.team IS 'Empty for the requests that no team has.';
ALTER TABLE request_count_note ADD team text NOT NULL;

CREATE OR REPLACE FUNCTION note_new_requests() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO request_count_note (kind, state, channel, team, change)
    SELECT kind, state_of(ended_as, pause_reasons), channel, coalesce(team, ''), count(*) FROM news GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION note_changed_requests() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO request_count_note (kind, state, channel, team, change)
    SELECT kind, state_of(ended_as, pause_reasons), channel, coalesce(team, ''), sum(change)
    FROM (
        SELECT kind, ended_as, pause_reasons, channel, team, 1 AS change FROM news
        UNION ALL
        SELECT kind, ended_as, pause_reasons, channel, team, -1 FROM olds
    ) AS both_sides
    GROUP BY 1, 2, 3, 4 HAVING sum(change) <> 0;
    RETURN NULL;
END $$;

INSERT INTO request_count (kind, state, channel, team, total)
SELECT kind, state_of(ended_as, pause_reasons), channel, coalesce(team, ''), count(*) FROM request GROUP BY 1, 2, 3, 4;
