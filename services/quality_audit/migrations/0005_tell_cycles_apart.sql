-- Which clocks are those of a unit: the ones that started in its cycle. A clock's own cycles are counted per objective.
-- What was heard before this says no start; such a clock is judged with every unit of its request, as it was until now.
ALTER TABLE clock ADD started_at timestamptz;
ALTER TABLE request ADD began_at timestamptz;
ALTER TABLE frame_unit ADD began_at timestamptz, ADD ended_at timestamptz;
COMMENT ON COLUMN request.began_at IS 'When it was reopened last, as clocks count it; null in the first cycle.';
COMMENT ON COLUMN frame_unit.began_at IS 'When the reopening began its cycle, as clocks count it; null in the first cycle.';
COMMENT ON COLUMN frame_unit.ended_at IS 'When it was closed, as clocks count it; null in older lines, where closed_at comes close.';

UPDATE frame_unit AS unit SET began_at = before.closed_at
FROM frame_unit AS before
WHERE unit.cycle > 1 AND before.request_id = unit.request_id AND before.cycle = unit.cycle - 1;
UPDATE request SET began_at = before.closed_at
FROM frame_unit AS before
WHERE request.cycle > 1 AND before.request_id = request.request_id AND before.cycle = request.cycle - 1;

GRANT UPDATE (began_at) ON request TO {role};
