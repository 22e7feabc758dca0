-- The full life of a request. The row is what its history leads to; `head` is the hash of the last entry.
ALTER TABLE request
    ADD process text,
    ADD team text,
    ADD handler text,
    ADD is_acknowledged boolean NOT NULL DEFAULT false,
    ADD has_left_stage boolean NOT NULL DEFAULT false,
    ADD awaited jsonb NOT NULL DEFAULT '{}',
    ADD controls jsonb NOT NULL DEFAULT '{}',
    ADD ended_as text CHECK (ended_as IN ('closed', 'cancelled', 'merged')),
    ADD reason text,
    ADD merged_into uuid REFERENCES request,
    ADD cycle integer NOT NULL DEFAULT 1 CHECK (cycle > 0),
    ADD score smallint CHECK (score BETWEEN 1 AND 5),
    ADD head bytea CHECK (octet_length(head) = 32);
UPDATE request SET process = kind, ended_as = CASE WHEN closed_at IS NOT NULL THEN 'closed' END;
ALTER TABLE request
    ALTER process SET NOT NULL,
    ADD FOREIGN KEY (process, process_version) REFERENCES process_version,
    DROP CONSTRAINT closed_with_outcome,
    ADD CONSTRAINT over_since CHECK ((closed_at IS NULL) = (ended_as IS NULL)),
    ADD CONSTRAINT closed_with_outcome CHECK ((outcome IS NOT NULL) = (ended_as IS NOT DISTINCT FROM 'closed')),
    ADD CONSTRAINT merged_into_another CHECK
        ((merged_into IS NOT NULL) = (ended_as IS NOT DISTINCT FROM 'merged') AND merged_into <> request_id),
    ADD CONSTRAINT awaits_what_it_waits_for CHECK (closed_at IS NULL OR awaited = '{}');
COMMENT ON COLUMN request.head IS 'The hash of the last entry of the history; NULL before its entries were chained.';
COMMENT ON COLUMN request.closed_at IS 'When it was closed, cancelled or merged.';

-- `json` keeps the text as it was hashed; `jsonb` would write numbers anew.
ALTER TABLE request_event
    ALTER data TYPE json USING data::json,
    ADD cause text,
    ADD hash bytea CHECK (octet_length(hash) = 32);
COMMENT ON COLUMN request_event.hash IS 'SHA-256 over the entry and the hash before it; NULL in entries older than the chain.';
COMMENT ON COLUMN request_event.cause IS 'What made it happen besides the call: entry:<sequence> or rule:<name>.';

-- What people wrote: notes, messages, feedback, names of attachments. It leaves intake in no event.
CREATE TABLE request_text (
    request_id uuid NOT NULL,
    sequence integer NOT NULL,
    name text NOT NULL CHECK (name IN ('text', 'file_name', 'location')),
    text text NOT NULL,
    PRIMARY KEY (request_id, sequence, name),
    FOREIGN KEY (request_id, sequence) REFERENCES request_event
);
GRANT SELECT, INSERT ON request_text TO {role};

CREATE TABLE request_link (
    request_id uuid NOT NULL REFERENCES request,
    relation text NOT NULL
        CHECK (relation IN ('merged_into', 'absorbed', 'split_into', 'split_from', 'complaint', 'about')),
    other_id uuid NOT NULL REFERENCES request,
    PRIMARY KEY (request_id, relation, other_id),
    CHECK (request_id <> other_id)
);
COMMENT ON TABLE request_link IS 'Which requests belong together; each link is told in the histories of both.';
GRANT SELECT, INSERT ON request_link TO {role};
