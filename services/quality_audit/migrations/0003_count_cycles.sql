-- A reopened request is closed again: each closing is a unit of the frame of its own.
ALTER TABLE request ADD cycle integer NOT NULL DEFAULT 1 CHECK (cycle > 0);
COMMENT ON COLUMN request.cycle IS '1, and one more with each reopening; the unit that the next closing makes.';
GRANT UPDATE (cycle) ON request TO {role};
