-- What a whole request is read with, as JSON; NULL where there is none. Here and not in the statements, because several of them
-- read the same parts.
CREATE FUNCTION history_of(uuid) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT json_agg(json_build_object(
        'sequence', sequence, 'type', type, 'data', data, 'occurred_at', occurred_at, 'recorded_at', recorded_at,
        'by', caller, 'cause', cause, 'hash', encode(hash, 'hex')) ORDER BY sequence)::text
    FROM request_event WHERE request_id = $1
);

-- Those that one channel or some teams see; NULL stands for all.
CREATE FUNCTION related_to(uuid, visible_channel text, visible_teams text[]) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT json_agg(json_build_array(relation, other.reference) ORDER BY other.request_id)::text
    FROM request_link JOIN request AS other ON other.request_id = other_id
    WHERE request_link.request_id = $1
        AND (visible_channel IS NULL OR other.channel = visible_channel)
        AND (visible_teams IS NULL OR other.team IS NULL OR other.team = ANY(visible_teams))
);

CREATE FUNCTION deadlines_of(uuid) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT json_agg(to_json(deadline) ORDER BY objective, cycle)::text FROM deadline WHERE request_id = $1);
